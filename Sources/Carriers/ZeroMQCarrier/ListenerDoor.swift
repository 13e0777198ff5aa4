import MessageFormat
import ZeroMQ

/// One of a listener's sockets, and which mailbox each identity has that its authenticator lets in.
final class ListenerDoor {
  let socket: Socket
  private let monitor: Monitor
  private(set) var mailboxes: [String: Mailbox]
  /// Connections that have not said anything yet: their identity is unknown.
  private var silent: [Int32: Connection] = [:]

  init(_ socket: consuming Socket, monitor: consuming Monitor, for mailboxes: Set<Mailbox>) {
    self.socket = socket
    self.monitor = monitor
    self.mailboxes = Self.byUserID(mailboxes)
  }

  private static func byUserID(_ mailboxes: Set<Mailbox>) -> [String: Mailbox] {
    Dictionary(uniqueKeysWithValues: mailboxes.map { ($0.hex, $0) })
  }

  func add(to poller: inout Poller) {
    _ = poller.add(socket, for: .reading)
    _ = poller.add(monitor)
  }

  func noteEvents() throws(ZeroMQError) {
    while let event = try monitor.next() {
      guard let descriptor = event.descriptor else { continue }
      silent[descriptor] =
        event.kind == .accepted ? Connection(descriptor: descriptor) : nil
    }
  }

  func noteVoice(of descriptor: Int32) { silent[descriptor] = nil }

  /// Others are let in from now on. Whose connections say nothing, and might be of one that no longer is, make them anew.
  func replace(_ mailboxes: Set<Mailbox>) {
    let isNarrower = self.mailboxes.values.contains { !mailboxes.contains($0) }
    self.mailboxes = Self.byUserID(mailboxes)
    guard isNarrower else { return }
    for connection in silent.values { connection.shutDown() }
    silent = [:]
  }
}
