package import Logging
import Mailboxes
package import MessageFormat
package import ZeroMQ

/// Serves the carrier protocol on a bound CURVE socket, on a thread of its own, to the identities on a list.
package final class CarrierListener: Sendable {
  /// Where it listens, with the port that was taken.
  package let endpoint: String
  private let authenticator: Authenticator
  private let wakeUp: WakeUp
  private let stopping = StopFlag()
  private let thread: SocketThread

  /// Listens when it returns. On the listener's thread, `onDeposit` is called whenever something new is on the disk, and
  /// `onFailure` when it can listen no longer.
  package init(
    on endpoint: String, as identity: TransportIdentity,
    for peers: [CurvePublicKey: Mailbox], desk: sending CarrierDesk, log: Logger,
    onDeposit: @escaping @Sendable () -> Void, onFailure: @escaping @Sendable () -> Void
  ) throws {
    precondition(!peers.isEmpty, "a listener without an allow-list lets nobody in")
    let names = peers.mapValues(\.hex)
    authenticator = try Authenticator(in: Context(), allowing: names) { refused in
      log.warning(
        "a stranger was refused",
        metadata: [
          "address": "\(refused.address)",
          "key": "\(refused.key == nil ? "not understood" : "not on the list")",
        ])
    }
    var options = SocketOptions()
    options.frameCountMax = 2
    let socket = try identity.server(for: authenticator, options: options)
    self.endpoint = Self.withoutMapping(try socket.bind(endpoint))
    wakeUp = try WakeUp()
    let mailboxes = Dictionary(peers.values.map { ($0.hex, $0) }) { first, _ in first }
    var loop: ListenerLoop? = ListenerLoop(
      socket: socket, desk: desk, mailboxes: mailboxes, wakeUp: wakeUp, stopping: stopping,
      log: log, onDeposit: onDeposit)
    thread = try SocketThread {
      guard var loop = loop.take() else { return }
      if !loop.run() { onFailure() }
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

  /// Something was put into a mailbox: whoever waits for it gets it. From any thread.
  package func mailboxesChanged() { wakeUp.signal() }

  /// Finishes what it is at and closes the socket.
  package func stop() {
    stopping.set()
    wakeUp.signal()
    thread.join()
    authenticator.stop()
  }
}
