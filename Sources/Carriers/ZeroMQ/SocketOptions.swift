/// The limits and times of a secured socket. Every one has a bound; `SocketOptions()` is what a
/// daemon wants.
package struct SocketOptions: Sendable, Equatable {
  // Limits on what a peer can send.
  /// A peer whose frame is larger loses its connection before the frame is stored. Our own may not
  /// be larger either.
  package var frameByteCountMax = 131_072
  /// A message of more frames is thrown away whole, and its sender is told apart. libzmq stores a
  /// message until its last frame has come, so a peer *on the allow-list* can fill memory by never
  /// sending one; frames of a peer that is not on it never get that far.
  package var frameCountMax = 4
  /// Whole messages that wait to be received, for each connection; then the peer is slowed down by
  /// TCP.
  package var receiveQueueCountMax = 64
  /// Whole messages that wait to be sent, for each connection; then `send` says `wouldBlock`.
  package var sendQueueCountMax = 64

  /// Connections that the kernel keeps for a server until they are accepted, the kernel's own limit permitting: when a
  /// carrier comes back, all its clients come back at once.
  package var backlogCountMax = 4_096

  // Times.
  /// From the TCP connection to the end of the CURVE handshake, authenticator included.
  package var handshakeTimeout = Duration.seconds(10)
  /// A connection that is silent gets a ping this often, and is closed when nothing comes back for
  /// `heartbeatTimeout`.
  package var heartbeatInterval = Duration.seconds(15)
  package var heartbeatTimeout = Duration.seconds(30)
  /// For one attempt to connect.
  package var connectTimeout = Duration.seconds(10)
  /// Between two attempts to connect; doubled up to `reconnectDelayMax` as long as they fail.
  package var reconnectDelay = Duration.milliseconds(100)
  package var reconnectDelayMax = Duration.seconds(30)
  /// How long a closed socket goes on sending what was handed to it, and how long its context waits
  /// for that.
  package var linger = Duration.seconds(2)

  // The kernel's buffers; `nil` leaves them to the kernel, which grows them as needed.
  package var kernelSendBufferByteCount: Int?
  package var kernelReceiveBufferByteCount: Int?

  package init() {}
}

extension SocketOptions {
  /// What CURVE adds to a frame on the wire, which is where libzmq measures it: the command's name
  /// (8), the nonce (8), the authenticator (16) and the flags (1). Source: RFC 26, "MESSAGE
  /// command".
  static let curveOverheadByteCount = 33

  /// ZMTP carries the time to live in 16 bits of tenths of a second: RFC 37, "PING command".
  static let heartbeatTimeoutMax = Duration.milliseconds(6_553_500)

  func requireSound() {
    precondition(
      frameByteCountMax > 0 && frameCountMax > 0 && receiveQueueCountMax > 0
        && sendQueueCountMax > 0, "for libzmq, zero is no limit")
    precondition(
      handshakeTimeout > .zero && heartbeatInterval > .zero && heartbeatTimeout > .zero
        && connectTimeout > .zero && reconnectDelay > .zero && linger >= .zero,
      "for libzmq, zero is no timeout")
    precondition(
      heartbeatTimeout <= Self.heartbeatTimeoutMax && reconnectDelay <= reconnectDelayMax,
      "times fit and are in order")
  }
}
