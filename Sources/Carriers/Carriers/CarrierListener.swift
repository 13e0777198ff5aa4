import Diagnostics
import Host
package import Logging
import Mailboxes
package import MessageFormat
import Synchronization
package import ZeroMQ

/// Where a carrier listens, and whom it lets in there.
package struct CarrierDoor: Sendable {
  package let endpoint: String
  package let peers: [CurvePublicKey: Mailbox]

  package init(endpoint: String, peers: [CurvePublicKey: Mailbox]) {
    self.endpoint = endpoint
    self.peers = peers
  }
}

/// Serves the carrier protocol on bound CURVE sockets, all on one thread and from one desk, to the identities on their
/// lists. An empty list lets nobody in.
package final class CarrierListener: Sendable {
  /// Where it listens, with the ports that were taken.
  package let endpoints: [String]
  private let authenticators: Mutex<[Authenticator]>
  private let wakeUp: WakeUp
  private let updates = UpdateBox()
  private let stopping = StopFlag()
  private let pulse = LoopLiveness()
  private let thread: SocketThread

  package var endpoint: String { endpoints[0] }

  /// Listens when it returns. On the listener's thread, `onDeposit` is called whenever something new is on the disk, and
  /// `onFailure` when it can listen no longer.
  package init(
    at doors: [CarrierDoor], as identity: TransportIdentity, desk: sending MailboxServer,
    log: Logger, onDeposit: @escaping @Sendable () -> Void,
    onFailure: @escaping @Sendable () -> Void
  ) throws {
    precondition(!doors.isEmpty, "a listener listens somewhere")
    var (endpoints, authenticators): ([String], [Authenticator]) = ([], [])
    var open: [ListenerDoor] = []
    for door in doors {
      // A context of its own: one list of who may connect, and one thread that encrypts.
      let authenticator = try Self.authenticator(for: door, log: log)
      let socket = try identity.server(for: authenticator, options: Self.options)
      let monitor = try Monitor(socket)
      endpoints.append(Self.withoutMapping(try socket.bind(door.endpoint)))
      authenticators.append(authenticator)
      open.append(ListenerDoor(socket, monitor: monitor, for: Set(door.peers.values)))
    }
    self.endpoints = endpoints
    self.authenticators = Mutex(authenticators)
    wakeUp = try WakeUp()
    var loop: ListenerLoop? = ListenerLoop(
      doors: open, desk: desk, updates: updates, wakeUp: wakeUp, stopping: stopping, pulse: pulse,
      log: log, onDeposit: onDeposit)
    thread = try SocketThread { [pulse] in
      guard var loop = loop.take() else { return }
      let hasFailed = !loop.run()
      pulse.end()
      if hasFailed { onFailure() }
    }
  }

  /// The same with one door.
  package convenience init(
    on endpoint: String, as identity: TransportIdentity,
    for peers: [CurvePublicKey: Mailbox], desk: sending MailboxServer, log: Logger,
    onDeposit: @escaping @Sendable () -> Void, onFailure: @escaping @Sendable () -> Void
  ) throws {
    try self.init(
      at: [CarrierDoor(endpoint: endpoint, peers: peers)], as: identity, desk: desk, log: log,
      onDeposit: onDeposit, onFailure: onFailure)
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
    let allowance = RateLimiter(burst: 20)
    return try Authenticator(
      in: Context(threadCount: threadCount), allowing: door.peers.mapValues(\.hex)
    ) { refused in
      guard let leftOutCount = allowance.take() else { return }
      log.report(
        .strangerRefused,
        [
          "address": "\(refused.address)",
          "key": "\(refused.key == nil ? "not understood" : "not on the list")",
          "others": .number(leftOutCount),
        ])
    }
  }

  /// An IPv4 address as people write it: libzmq shows it as an IPv6 one (RFC 4291, 2.5.5.2).
  private static func withoutMapping(_ endpoint: String) -> String {
    let (prefix, end) = ("tcp://[::ffff:", "]:")
    guard endpoint.hasPrefix(prefix), let close = endpoint.range(of: end) else { return endpoint }
    return "tcp://" + endpoint[prefix.endIndex..<close.lowerBound] + ":"
      + endpoint[close.upperBound...]
  }

  deinit { stop() }

  /// How late its loop is with its next turn.
  package var delay: Duration { pulse.delay }

  /// Something was put into a mailbox: whoever waits for it gets it. From any thread.
  package func mailboxesChanged() { wakeUp.signal() }

  /// From now on these are let in, one list for each door, and these rules hold. Whoever is no longer on a door's list
  /// loses its connections there at once, and its unfinished deposits where it is on none. From any thread.
  package func replace(
    peers: [[CurvePublicKey: Mailbox]], access: CarrierAccess, quotas: DepositQuotas
  ) {
    authenticators.withLock { authenticators in
      precondition(peers.count == authenticators.count, "a list for each door")
      for (authenticator, peers) in zip(authenticators, peers) {
        authenticator.replaceAllowList(with: peers.mapValues(\.hex))
      }
    }
    updates.put(
      ListenerUpdate(mailboxes: peers.map { Set($0.values) }, access: access, quotas: quotas))
    wakeUp.signal()
  }

  /// Finishes what it is at and closes the sockets. When it returns, their ports can be taken by another: libzmq closes
  /// them behind our back, and the end of their contexts waits for that.
  package func stop() {
    stopping.set()
    wakeUp.signal()
    thread.join()
    let ended = authenticators.withLock { authenticators in
      defer { authenticators = [] }
      return authenticators
    }
    for authenticator in ended { authenticator.stop() }
  }
}
