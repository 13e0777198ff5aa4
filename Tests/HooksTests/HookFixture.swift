import Foundation
import Hooks
import Host
import Logging
import Mailboxes
import MessageFormat
import ServiceLifecycle
import TestSupport
import Testing

/// A running role on a free port, with hooks for every host, and what it logs.
final class HookFixture: Sendable {
  static let secret = "secret-of-the-hook-0123456789"

  let folder: TemporaryFolder
  let port: UInt16
  let settings: HookSettings
  let hooks: RunningHooks
  let log = TestLog()
  private let group: ServiceGroup
  private let running: Task<Void, any Error>

  /// `insecure`: the hook of `generic` has no secret. `prepare` may change the settings.
  init(
    requestsPerSecond: Int = 100_000, proxies: [String] = [], tls: HookSettings.TLS? = nil,
    secretCount: Int = 1
  ) async throws {
    folder = try TemporaryFolder()
    port = try FreePort.take()
    var files: [String] = []
    for number in 0..<secretCount {
      files.append(
        try folder.file(number == 0 ? Self.secret : "another-secret-0123456789-\(number)"))
    }
    settings = HookSettings(
      listen: .address(host: "127.0.0.1", port: port), tls: tls, state: folder.path + "/state",
      signer: folder.path + "/signer.sock",
      hooks: try HookHost.allCases.map { host in
        HookSettings.Hook(
          path: "/hooks/\(host.rawValue)", host: host, secretFiles: files,
          remote: try RemoteName(try Self.remote(of: host)))
      },
      trustedProxies: try proxies.map { try #require(Network($0)) },
      requestsPerSecond: requestsPerSecond)
    hooks = try RunningHooks(
      settings, log: log.logger,
      now: { Timestamp(milliseconds: UInt64(Date().timeIntervalSince1970 * 1_000)) }, onStored: {})
    let service = HookService(hooks: hooks)
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: [.init(service: service)],
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
    self.group = group
    running = Task { try await group.run() }
    try await until { log.count(of: "listening") > 0 }
  }

  private struct HookService: Service {
    let hooks: RunningHooks
    func run() async throws { try await hooks.run() }
  }

  private static func remote(of host: HookHost) throws -> String {
    try #require(HookSample.all.first { $0.host == host }).remote
  }

  /// Ends it in order; what was answered is stored.
  func stop() async throws {
    await group.triggerGracefulShutdown()
    try await running.value
  }

  func waiting() throws -> [WaitingPush] {
    try HookStore(state: StateDatabase(reading: settings.state)).waiting()
  }

  func status() throws -> HookStatus {
    try HookStatus(settings, reading: StateDatabase(reading: settings.state))
  }

  // MARK: - Requests

  /// A sample as its host would send it, signed.
  func post(
    _ sample: HookSample, id: String? = nil, secret: String = secret,
    change: (inout HookCall) -> Void = { _ in }
  ) async throws -> HookReply {
    var call = HookCall(
      path: "/hooks/\(sample.host.rawValue)", body: try HookSample.body(sample.file))
    call.headers = sample.headers
    if let id { call.headers[HookCall.idHeader(of: sample.host)] = id }
    call.sign(as: sample.host, secret)
    change(&call)
    return try await send(call)
  }

  func send(_ call: HookCall) async throws -> HookReply {
    try HookReply(try await exchange(call.bytes()))
  }

  /// All that comes in return for these bytes, until the server hangs up.
  func exchange(_ bytes: [UInt8]) async throws -> String {
    let connection = try connect()
    return try await onThread {
      // It may hang up before it has read all.
      do { try connection.send(bytes) } catch is RawConnection.Failure {}
      return String(decoding: try connection.readToEnd(), as: UTF8.self)
    }
  }

  func connect() throws -> RawConnection {
    try RawConnection(to: "tcp://127.0.0.1:\(port)")
  }
}

extension RawConnection {
  /// All that comes until the server hangs up.
  func text() async throws -> String {
    try await onThread { String(decoding: try self.readToEnd(), as: UTF8.self) }
  }
}

/// Waits for what has to come, and throws where it does not.
func until(_ condition: () async throws -> Bool) async throws {
  let end = ContinuousClock.now + patience
  while try await !condition() {
    try #require(.now < end, "it did not come to that")
    try await Task.sleep(for: .milliseconds(5))
  }
}
