import CZeroMQ
import Glibc

/// What became of a message that was to be sent. Nothing of it is sent unless all of it is.
package enum SendOutcome: Hashable, Sendable {
  /// Handed to the connection's queue; only an answer of the peer's shows that it arrived.
  case sent
  /// The queue is full, or there is no connection, and it stayed so up to the deadline.
  case wouldBlock
  /// The connection to that peer is gone, or went while the message was being handed over. A router
  /// learns it by receiving: without that, the queue of a peer that has gone stays full.
  case peerGone
}

extension Socket {
  /// Sends one message of at least one frame.
  ///
  /// `routingID`: the peer; for a router, and only for a router. The queue of *that* peer decides
  /// on `wouldBlock`.
  package borrowing func send(
    _ frames: [Frame], to routingID: [UInt8]? = nil, by deadline: Deadline = .now
  ) throws(ZeroMQError) -> SendOutcome {
    precondition(!frames.isEmpty, "a message has a frame")
    precondition((routingID != nil) == (kind == .router), "a router is told whom to send to")
    precondition(
      frames.allSatisfy { $0.byteCount <= frameByteCountMax }, "the peer would hang up on us")
    guard let routingID else { return try sendParts(frames, by: deadline) }
    return try sendParts([Frame(copying: routingID)] + frames, by: deadline)
  }

  /// The same; copies each array once.
  package borrowing func send(
    _ frames: [[UInt8]], to routingID: [UInt8]? = nil, by deadline: Deadline = .now
  ) throws(ZeroMQError) -> SendOutcome {
    try send(frames.map { Frame(copying: $0) }, to: routingID, by: deadline)
  }

  private borrowing func sendParts(
    _ parts: [Frame], by deadline: Deadline
  ) throws(ZeroMQError) -> SendOutcome {
    var outcome = try sendFirst(parts[0], hasMore: parts.count > 1, by: deadline)
    guard outcome == .sent else { return outcome }
    for index in parts.indices.dropFirst() {
      let flags = ZMQ_DONTWAIT | (index < parts.count - 1 ? ZMQ_SNDMORE : 0)
      let code = unsafe repeatedWhenInterrupted { unsafe parts[index].send(to: $0, flags: flags) }
      switch code {
      case 0: continue
      // There was room for the message when it began, so the connection has ended. libzmq drops
      // what went before, and what still follows: that has to be handed over all the same, or the
      // next message would begin in the middle of this one.
      case EAGAIN: outcome = .peerGone
      default: throw failure(code, of: "zmq_msg_send")
      }
    }
    return outcome
  }

  private borrowing func sendFirst(
    _ part: Frame, hasMore: Bool, by deadline: Deadline
  ) throws(ZeroMQError) -> SendOutcome {
    let more = hasMore ? ZMQ_SNDMORE : 0
    var code = unsafe repeatedWhenInterrupted {
      unsafe part.send(to: $0, flags: ZMQ_DONTWAIT | more)
    }
    while (code == EAGAIN || code == EINTR) && !deadline.isPast {
      try handle.set(ZMQ_SNDTIMEO, to: deadline.remainingMilliseconds)
      code = unsafe part.send(to: handle.pointer, flags: more)
    }
    switch code {
    case 0: return .sent
    case EAGAIN, EINTR: return .wouldBlock
    case EHOSTUNREACH: return .peerGone
    default: throw failure(code, of: "zmq_msg_send")
    }
  }

  /// A signal is no reason to say that nothing can be sent or has come.
  borrowing func repeatedWhenInterrupted(
    _ call: (UnsafeMutableRawPointer) -> Int32
  ) -> Int32 {
    while true {
      let code = unsafe call(handle.pointer)
      if code != EINTR { return code }
    }
  }

  borrowing func failure(_ code: Int32, of call: String) -> ZeroMQError {
    code == ETERM ? .contextEnded : .system(call: call, code: code)
  }
}
