import Diagnostics
import Glibc
import Host
import HummingbirdCore
package import Logging
import Mailboxes
package import MessageFormat
import NIOCore
import NIOPosix
import Synchronization

/// The role at work: the server, what it has stored, and what is told to the signer.
package final class RunningHooks: Sendable {
  private let settings: Mutex<HookSettings>
  private let store: HookStore
  private let claim: Mutex<StateClaim?>
  private let table: HookTable
  private let certificates: Certificates?
  private let connections: ConnectionCount
  private let responder: HookResponder
  private let queue: CommitQueue
  private let log: Logger
  private let now: @Sendable () -> Timestamp
  private let fault = Mutex<HostError?>(nil)
  /// Has one element once connections are taken; ends with the server.
  private let listening: AsyncStream<Void>
  private let isListening: AsyncStream<Void>.Continuation

  /// Throws where a secret, the certificate, the address or the state cannot be used. `onStored`: something waits for the
  /// signer.
  package init(
    _ settings: HookSettings, log: Logger, now: @escaping @Sendable () -> Timestamp,
    onStored: @escaping @Sendable () -> Void
  ) throws {
    self.settings = Mutex(settings)
    (self.log, self.now) = (log, now)
    (listening, isListening) = AsyncStream.makeStream()
    table = try HookTable(settings.hooks)
    certificates = try settings.tls.map { files throws(HookFault) in try Certificates(files) }
    try Self.requireFree(settings.listen)
    store = HookStore(state: try StateDatabase.hooks(directory: settings.state))
    claim = Mutex(try store.state.claim())
    connections = ConnectionCount(trusting: settings.trustedProxies)
    queue = try CommitQueue(store, now: now, onStored: onStored)
    responder = HookResponder(settings, table: table, queue: queue, log: log, now: now)
  }

  /// Whether we can listen there; throws `HookFault` where not.
  package static func requireFree(_ listen: HookSettings.Listen) throws(HookFault) {
    do throws(HostError) {
      switch listen {
      case .address(let host, let port):
        if port != 0 { try PortProbe.requireFree(host: host, port: port) }
      case .socket(let path, let group, let mode):
        try SocketFile(path: path, group: group, mode: mode).requireFree()
      }
    } catch {
      throw HookFault(listening: error, at: listen.text)
    }
  }

  /// How late its loops are with their next turn.
  package var delay: Duration { queue.delay }

  package func requireState() throws { try store.state.requireInPlace() }

  package func handOver(
    wake: @escaping @Sendable () -> Void, _ tell: @escaping HandOver.Tell
  ) -> HandOver {
    HandOver(store, log: log, now: now, wake: wake, tell: tell)
  }

  /// Secrets and certificates as their files have them now.
  package func look() {
    table.refresh(log)
    certificates?.refresh(log)
  }

  /// `false`: it needs another server. Throws, and changes nothing, where a secret cannot be used.
  package func adopt(_ new: HookSettings) throws(HookFault) -> Bool {
    guard settings.withLock({ $0.hasSamePlace(as: new) && $0.tls == new.tls }) else { return false }
    try table.adopt(new.hooks)
    connections.trust(new.trustedProxies)
    responder.adopt(new)
    settings.withLock { $0 = new }
    look()
    return true
  }

  // MARK: - The server

  /// Throws `CancellationError` where the server has ended before. For one caller.
  package func waitUntilListening() async throws {
    for await _ in listening { return }
    throw CancellationError()
  }

  /// Until the service is to stop; what was begun is answered before.
  package func run() async throws {
    defer {
      isListening.finish()
      queue.stop()
      claim.withLock { $0 = nil }
    }
    let listen = settings.withLock { $0.listen }
    let server = HookChannel(
      certificates: certificates, connections: connections,
      responder: { [responder] request, writer, channel in
        try await responder.respond(request, writer, channel)
      }
    ).server(
      configuration: configuration(listen),
      onServerRunning: { [self] in begin(listen, $0) },
      eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: Self.silence)
    do {
      try await server.run()
    } catch let error as IOError {
      throw HookFault(
        listening: .system(call: "bind", subject: listen.text, code: error.errnoCode),
        at: listen.text)
    }
    if let fault = fault.withLock({ $0 }) { throw HookFault.address(fault) }
    if case .socket(let path, let group, let mode) = listen {
      try SocketFile(path: path, group: group, mode: mode).remove()
    }
  }

  /// The server's own lines have no event of ours.
  private static let silence = Logger(label: "distro.hooks.server") { _ in
    SwiftLogNoOpLogHandler()
  }

  private func configuration(_ listen: HookSettings.Listen) -> ServerConfiguration {
    let address: BindAddress
    switch listen {
    case .address(let host, let port): address = .hostname(host, port: Int(port))
    case .socket(let path, let group, let mode):
      address = .unixDomainSocket(
        path: SocketFile(path: path, group: group, mode: mode).provisionalPath)
    }
    return ServerConfiguration(
      address: address, serverName: nil, backlog: 1_024, reuseAddress: true,
      availableConnectionsDelegate: .maximum(HookLimits.connectionCountMax, logger: Self.silence))
  }

  private func begin(_ listen: HookSettings.Listen, _ channel: any Channel) {
    var place = listen.text
    do throws(HostError) {
      switch listen {
      case .address(let host, _):
        let port = UInt16(clamping: channel.localAddress?.port ?? 0)
        place = HookSettings.Listen.address(host: host, port: port).text
      case .socket(let path, let group, let mode):
        try SocketFile(path: path, group: group, mode: mode).place()
      }
    } catch {
      fault.withLock { $0 = error }
      return channel.close(promise: nil)
    }
    log.report(
      .listening,
      [
        "endpoint": "\(place)", "tls": "\(certificates == nil ? "no" : "yes")",
        "hooks": .number(settings.withLock { $0.hooks.count }),
      ])
    isListening.yield()
  }
}
