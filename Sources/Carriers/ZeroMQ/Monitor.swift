import CZeroMQ
import Synchronization

/// Tells what happens to a socket's connections: the only way to learn why a client is not
/// connected.
///
/// Belongs to the socket's thread. Begin it before `connect` or `bind`, or the first events are
/// missed. Read it, or drop it: unread events add up in memory, since a limit on them
/// would stop all connections of the context (see `SocketHandle`).
package struct Monitor: ~Copyable {
  let events: Socket
  private weak let monitored: SocketHandle?

  /// At most one for each socket at a time.
  package init(_ socket: borrowing Socket) throws(ZeroMQError) {
    precondition(!socket.handle.isMonitored, "a socket has one monitor")
    let endpoint = "inproc://monitor-\(monitorCount.add(1, ordering: .relaxed).newValue)"
    let events = try Socket(inProcess: .pair, in: socket.handle.context)
    try events.handle.set(ZMQ_RCVHWM, to: Int32(0))
    // First the reader, then what it reads: no event is missed.
    try events.connect(endpoint)
    try Libzmq.check(
      unsafe zmq_socket_monitor(socket.handle.pointer, endpoint, ZMQ_EVENT_ALL),
      "zmq_socket_monitor")
    socket.handle.isMonitored = true
    self.events = events
    monitored = socket.handle
  }

  deinit { monitored?.stopMonitoring() }

  /// `nil` when there was none up to the deadline.
  package borrowing func next(
    by deadline: Deadline = .now
  ) throws(ZeroMQError) -> MonitorEvent? {
    guard case .message(let frames, _) = try events.receive(by: deadline) else { return nil }
    precondition(frames.count == 2, "a monitor's event has two frames")
    let endpoint = String(decoding: frames[1].bytes, as: UTF8.self)
    return MonitorEvent(header: frames[0].bytes, endpoint: endpoint)
  }
}

/// Names the monitors of this process apart.
private let monitorCount = Atomic<UInt64>(0)
