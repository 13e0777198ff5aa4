package import CarrierProtocol
import Diagnostics
import Host
package import Logging
import MessageFormat
import Sealing
package import Sodium
import Synchronization
import Threads
import ZeroMQ

/// Bound CURVE sockets, one for each door, served by one thread.
package final class ZeroMQListener: CarrierListener {
  package let endpoints: [String]
  private let authenticators: Mutex<[Authenticator]>
  /// Until `run` takes them.
  private let doors: Mutex<[ListenerDoor]?>
  private let wakeUp: WakeUp
  private let updates = UpdateBox()
  private let stopping = StopFlag()
  private let liveness = LoopLiveness()
  private let log: Logger

  /// Its ports are taken when it returns.
  package init(at doors: [CarrierDoor], as identity: Identity, log: Logger) throws {
    precondition(!doors.isEmpty, "a listener listens somewhere")
    self.log = log
    wakeUp = try WakeUp()
    let transport = TransportIdentity(identity)
    var (endpoints, authenticators): ([String], [Authenticator]) = ([], [])
    var open: [ListenerDoor] = []
    for door in doors {
      // A context of its own: one list of peers that may connect, and one thread that encrypts.
      let authenticator = try Self.authenticator(for: door, log: log)
      let socket = try transport.server(for: authenticator, options: Self.options)
      let monitor = try Monitor(socket)
      endpoints.append(Self.withoutMapping(try socket.bind(door.endpoint)))
      authenticators.append(authenticator)
      open.append(ListenerDoor(socket, monitor: monitor, for: Set(door.peers.map(\.mailbox))))
    }
    self.endpoints = endpoints
    self.authenticators = Mutex(authenticators)
    self.doors = Mutex(open)
  }

  private static let threadCount = 4

  private static let options: SocketOptions = {
    var options = SocketOptions()
    options.frameCountMax = 2
    // Each client pings every 15 s and says how long it may be silent; so that libzmq has few timers to look through, we
    // ask only those that do not.
    options.heartbeatInterval = .seconds(60)
    // 2 MiB of chunks that a slow reader keeps in memory; what is behind them is read when its turn comes.
    options.sendQueueCountMax = 16
    return options
  }()

  private static func authenticator(for door: CarrierDoor, log: Logger) throws -> Authenticator {
    // Or strangers could fill the disk.
    let limiter = RateLimiter(burst: 20)
    return try Authenticator(
      in: Context(threadCount: threadCount), allowing: allowList(of: door.peers)
    ) { refused in
      guard let leftOutCount = limiter.take() else { return }
      log.report(
        .strangerRefused,
        [
          "address": "\(refused.address)",
          "key": "\(refused.key == nil ? "not understood" : "not on the list")",
          "others": .number(leftOutCount),
        ])
    }
  }

  private static func allowList(of peers: [PublicIdentity]) -> [CurvePublicKey: String] {
    Dictionary(peers.map { (CurvePublicKey(of: $0), $0.mailbox.hex) }) { first, _ in first }
  }

  /// An IPv4 address as people write it: libzmq shows it as an IPv6 one (RFC 4291, 2.5.5.2).
  private static func withoutMapping(_ endpoint: String) -> String {
    let (prefix, end) = ("tcp://[::ffff:", "]:")
    guard endpoint.hasPrefix(prefix), let close = endpoint.range(of: end) else { return endpoint }
    return "tcp://" + endpoint[prefix.endIndex..<close.lowerBound] + ":"
      + endpoint[close.upperBound...]
  }

  deinit { stop() }

  package func run(
    _ server: MailboxServer, arrived: @escaping @Sendable () -> Void
  ) throws {
    guard let doors = doors.withLock({ $0.take() }) else { return }
    defer {
      liveness.end()
      close()
    }
    var loop = ListenerLoop(
      doors: doors, server: server, updates: updates, wakeUp: wakeUp, stopping: stopping,
      liveness: liveness, log: log, arrived: arrived)
    try loop.run()
  }

  package var delay: Duration { liveness.delay }

  package func mailboxesChanged() { wakeUp.signal() }

  package func replace(
    peers: [[PublicIdentity]], access: CarrierAccess, quotas: DepositQuotas
  ) {
    authenticators.withLock { authenticators in
      for (authenticator, peers) in zip(authenticators, peers) {
        authenticator.replaceAllowList(with: Self.allowList(of: peers))
      }
    }
    updates.put(
      ListenerUpdate(
        mailboxes: peers.map { Set($0.map(\.mailbox)) }, access: access, quotas: quotas))
    wakeUp.signal()
  }

  package func stop() {
    stopping.set()
    wakeUp.signal()
    // One that never ran.
    if doors.withLock({ $0.take() }) != nil { close() }
  }

  /// libzmq closes sockets behind our back; the end of their contexts waits for that.
  private func close() {
    let ended = authenticators.withLock { authenticators in
      defer { authenticators = [] }
      return authenticators
    }
    for authenticator in ended { authenticator.stop() }
  }
}
