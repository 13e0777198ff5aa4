import CZeroMQ

/// What happened to one of a socket's connections. Source: zmq_socket_monitor(3).
package struct MonitorEvent: Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    /// TCP is connected; the handshake follows.
    case connected
    case connectDelayed
    /// The next attempt comes after this time. Without `connected` since the last: nothing listens
    /// there, the name is unknown, or the network is down. With it: that connection has ended.
    case connectRetried(after: Duration)
    case listening
    case bindFailed(code: Int32)
    case accepted
    case acceptFailed(code: Int32)
    case closed
    /// The connection has ended, whether or not it had shaken hands.
    case disconnected
    case handshakeSucceeded
    case handshakeFailed(HandshakeFailure)
    /// The socket was closed: no event follows.
    case stopped
    /// Of a newer libzmq.
    case other(UInt16)
  }

  package let kind: Kind
  /// The endpoint as the socket was given it, or as the kernel tells it; not the peer's name.
  package let endpoint: String
  /// Of `connected`, `accepted` and `disconnected`: the connection's descriptor, which may have been given away since.
  package let descriptor: Int32?
}

/// Why a handshake failed, as far as this side can know.
///
/// What a client does then: see `Socket.connect`.
package enum HandshakeFailure: Hashable, Sendable {
  /// At a client: the server's authenticator does not allow our key. At a server: its own does not
  /// allow the peer's.
  case refused(status: UInt32)
  /// The peer does not speak as CURVE's other half does.
  case protocolBroken(ProtocolFault)
  /// The peer hung up, or was silent up to the timeout. At a client it most often means that the
  /// server has another key than `serverKey`, or that no authenticator runs there: a server tells a
  /// stranger nothing.
  case noDetail(code: Int32)
}

package enum ProtocolFault: Hashable, Sendable {
  /// The peer is no CURVE socket, or not of the other half (server and server, client and client).
  case mechanismMismatch
  /// At a server: the client has another key for this server, or its public key does not belong to
  /// its secret.
  case cryptographic
  case other(code: UInt32)
}

extension MonitorEvent {
  /// A monitor's event: 16 bits of kind and 32 of value, as the machine orders them.
  init(header: [UInt8], endpoint: String) {
    precondition(header.count == 6, "a monitor's event has 6 bytes")
    let code = unsafe header.withUnsafeBytes { unsafe $0.loadUnaligned(as: UInt16.self) }
    let value = unsafe header.withUnsafeBytes {
      unsafe $0.loadUnaligned(fromByteOffset: 2, as: UInt32.self)
    }
    self.endpoint = endpoint
    self.kind = Kind(code: code, value: value)
    descriptor =
      [.connected, .accepted, .disconnected].contains(kind) ? Int32(bitPattern: value) : nil
  }
}

extension MonitorEvent.Kind {
  fileprivate init(code: UInt16, value: UInt32) {
    switch Int32(code) {
    case ZMQ_EVENT_CONNECTED: self = .connected
    case ZMQ_EVENT_CONNECT_DELAYED: self = .connectDelayed
    case ZMQ_EVENT_CONNECT_RETRIED: self = .connectRetried(after: .milliseconds(value))
    case ZMQ_EVENT_LISTENING: self = .listening
    case ZMQ_EVENT_BIND_FAILED: self = .bindFailed(code: Int32(bitPattern: value))
    case ZMQ_EVENT_ACCEPTED: self = .accepted
    case ZMQ_EVENT_ACCEPT_FAILED: self = .acceptFailed(code: Int32(bitPattern: value))
    case ZMQ_EVENT_CLOSED, ZMQ_EVENT_CLOSE_FAILED: self = .closed
    case ZMQ_EVENT_DISCONNECTED: self = .disconnected
    case ZMQ_EVENT_MONITOR_STOPPED: self = .stopped
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: self = .handshakeSucceeded
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: self = .handshakeFailed(.refused(status: value))
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
      self = .handshakeFailed(.protocolBroken(ProtocolFault(code: value)))
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
      self = .handshakeFailed(.noDetail(code: Int32(bitPattern: value)))
    default: self = .other(code)
    }
  }
}

extension ProtocolFault {
  fileprivate init(code: UInt32) {
    switch code {
    case UInt32(ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH): self = .mechanismMismatch
    case UInt32(ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC): self = .cryptographic
    default: self = .other(code: code)
    }
  }
}
