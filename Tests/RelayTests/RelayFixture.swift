import CarrierProtocol
import Foundation
import Logging
import MessageFormat
import Relay
import Sealing
import Sodium
import TestSupport
import Testing
import ZeroMQ
import ZeroMQCarrier

/// A relay on free ports, its directories, and whoever connects to it.
final class RelayFixture {
  let folder: TemporaryFolder
  let relay: RunningRelay
  let context: Context
  let key: CurvePublicKey

  init(
    signers: [String] = ["alice"], appliers: [String] = ["bob"], quotas: DepositQuotas = .none
  ) throws {
    folder = try TemporaryFolder()
    context = try Context()
    for directory in ["signers", "appliers"] {
      try FileManager.default.createDirectory(
        atPath: folder.path + "/" + directory, withIntermediateDirectories: false)
    }
    let identity = try TestIdentity.make("server")
    key = try CurvePublicKey(identity.public.transportKey.bytes)
    for name in signers { try Self.trust(name, in: "signers", of: folder) }
    for name in appliers { try Self.trust(name, in: "appliers", of: folder) }
    relay = try RunningRelay(
      Self.settings(in: folder, quotas: quotas),
      log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
      now: { Timestamp(milliseconds: 1_000_000) }, listen: ZeroMQListener.init,
      onFailure: { _ in })
  }

  static func settings(
    in folder: TemporaryFolder, routes: [RelaySettings.Route]? = nil,
    quotas: DepositQuotas = .none
  ) throws -> RelaySettings {
    RelaySettings(
      identity: try TestIdentity.make("server"), state: folder.path + "/state",
      signersEndpoint: "tcp://127.0.0.1:*", appliersEndpoint: "tcp://127.0.0.1:*",
      trustedSigners: folder.path + "/signers", trustedAppliers: folder.path + "/appliers",
      routes: routes, quotas: quotas)
  }

  deinit { relay.stop() }

  private static func trust(
    _ name: String, in directory: String, of folder: TemporaryFolder
  ) throws {
    let line = try TestIdentity.make(name).public.line
    try Data((line + "\n").utf8)
      .write(to: URL(fileURLWithPath: "\(folder.path)/\(directory)/\(name).pub"))
  }

  func trust(_ name: String, in directory: String) throws {
    try Self.trust(name, in: directory, of: folder)
    relay.refresh()
  }

  func distrust(_ name: String, in directory: String) throws {
    try FileManager.default.removeItem(atPath: "\(folder.path)/\(directory)/\(name).pub")
    relay.refresh()
  }

  func revoke(_ name: String, in directory: String) throws {
    try FileManager.default.copyItem(
      atPath: "\(folder.path)/\(directory)/\(name).pub",
      toPath: "\(folder.path)/\(directory)/\(name).revoked")
    relay.refresh()
  }

  func visitor(_ name: String, atSigners: Bool) throws -> RelayVisitor {
    try RelayVisitor(
      name, to: atSigners ? relay.signersEndpoint : relay.appliersEndpoint, of: key, in: context)
  }
}

/// An identity's connection to a relay, request by request.
final class RelayVisitor {
  let mailbox: Mailbox
  private let socket: Socket
  private let monitor: Monitor

  init(_ name: String, to endpoint: String, of server: CurvePublicKey, in context: Context) throws {
    let identity = try TestIdentity.make(name)
    mailbox = identity.public.mailbox
    var options = SocketOptions()
    options.linger = .zero
    let socket = try TransportIdentity(identity).client(of: server, in: context, options: options)
    let monitor = try Monitor(socket)
    try socket.connect(endpoint)
    self.socket = socket
    self.monitor = monitor
  }

  func send(_ request: CarrierRequest, chunk: [UInt8]? = nil) throws {
    let frames = [request.encoded()] + (chunk.map { [$0] } ?? [])
    try #require(try socket.send(frames, by: .after(patience)) == .sent)
  }

  func reply(within duration: Duration = patience) throws -> CarrierReply? {
    guard case .message(let frames, _) = try socket.receive(by: .after(duration)) else {
      return nil
    }
    return try CarrierReply(decoding: frames[0].bytes)
  }

  func ask(_ request: CarrierRequest) throws -> CarrierReply {
    try send(request)
    return try #require(try reply())
  }

  /// Answers what came last: `stored`, or why not.
  func deposit(_ letter: Letter, for mailboxes: [Mailbox]) throws -> CarrierReply {
    try send(.deposit(letter.offer(for: mailboxes)))
    for (index, chunk) in letter.chunks.enumerated() {
      try send(.chunk(ChunkName(id: letter.id, index: UInt32(index))), chunk: chunk)
    }
    while true {
      let reply = try #require(try reply())
      switch reply {
      // Of what was asked before.
      case .proceed, .chunk, .delivery: continue
      default: return reply
      }
    }
  }

  /// The chunk replies that follow a delivery are passed over.
  func nextDelivery(within duration: Duration = patience) throws -> MessageID? {
    while let reply = try reply(within: duration) {
      if case .delivery(let entry, _, _) = reply { return entry.id }
    }
    return nil
  }

  func wait(for isIt: (MonitorEvent.Kind) -> Bool) throws -> Bool {
    let deadline = Deadline.after(patience)
    while let event = try monitor.next(by: deadline) { if isIt(event.kind) { return true } }
    return false
  }

  /// Once more, to another address.
  func connect(_ endpoint: String) throws { try socket.connect(endpoint) }
}
