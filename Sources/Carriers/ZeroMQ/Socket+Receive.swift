import CZeroMQ
import Glibc

/// A connection, as far as the socket knows it.
package struct Sender: Hashable, Sendable {
  /// Of a router: whom to answer; empty for other sockets. It names a connection, never a machine:
  /// a peer that is allowed in may choose it, and may take one that has become free.
  package let routingID: [UInt8]
  /// Of a server: the peer's name by the authenticator; never `nil` there. Nothing a peer sends changes
  /// it.
  package let userID: String?

  package init(routingID: [UInt8], userID: String?) {
    self.routingID = routingID
    self.userID = userID
  }
}

/// What came in: a message, or what was thrown away instead of one.
package enum Received {
  case message([Frame], from: Sender)
  case tooManyFrames(count: Int, from: Sender)
  /// The connection was older than the allow-list, which no longer has its user; it is ended.
  case noLongerAllowed(Sender)
}

extension Socket {
  /// The next message; `nil` when there was none up to the deadline.
  package borrowing func receive(
    by deadline: Deadline = .now
  ) throws(ZeroMQError) -> Received? {
    guard var frame = try receiveFrame(by: deadline) else { return nil }
    var routingID: [UInt8] = []
    if kind == .router {
      routingID = frame.bytes
      frame = try receiveNext()
    }
    // The server's word would be no proof to a client, and a client has no authenticator.
    let userID = authenticator == nil ? nil : frame.userID
    let sender = Sender(routingID: routingID, userID: userID)
    var frames = [frame]
    var count = 1
    while frame.hasMore {
      frame = try receiveNext()
      count += 1
      if count <= frameCountMax { frames.append(frame) }
    }
    if let authenticator, !authenticator.allows(userID: userID) {
      frame.connection?.shutDown()
      return .noLongerAllowed(sender)
    }
    if count > frameCountMax { return .tooManyFrames(count: count, from: sender) }
    return .message(frames, from: sender)
  }

  private borrowing func receiveFrame(by deadline: Deadline) throws(ZeroMQError) -> Frame? {
    let frame = Frame()
    var code = unsafe repeatedWhenInterrupted {
      unsafe frame.receive(from: $0, flags: ZMQ_DONTWAIT)
    }
    while (code == EAGAIN || code == EINTR) && !deadline.isPast {
      try handle.set(ZMQ_RCVTIMEO, to: deadline.remainingMilliseconds)
      code = unsafe frame.receive(from: handle.pointer, flags: 0)
    }
    switch code {
    case 0: return frame
    case EAGAIN, EINTR: return nil
    default: throw failure(code, of: "zmq_msg_recv")
    }
  }

  /// A message comes whole, so its next frame is there.
  private borrowing func receiveNext() throws(ZeroMQError) -> Frame {
    let frame = Frame()
    let code = unsafe repeatedWhenInterrupted {
      unsafe frame.receive(from: $0, flags: ZMQ_DONTWAIT)
    }
    guard code == 0 else { throw failure(code, of: "zmq_msg_recv") }
    return frame
  }
}
