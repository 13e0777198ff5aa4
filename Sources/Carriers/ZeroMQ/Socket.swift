import CZeroMQ
import Glibc

/// A ZeroMQ socket. It is either secured by CURVE before it exists, and takes TCP endpoints only,
/// or it stays within this process. There is no third kind, so nothing can travel in clear.
///
/// Belongs to one thread: not Sendable, but it can be handed over once (`consuming sending`).
/// Closed when it goes out of scope.
package struct Socket: ~Copyable {
  package enum Kind: Sendable {
    /// Sends to its connections in turn, receives from all of them fairly.
    case dealer
    /// Sends to the connection that it is told, and says from which it received.
    case router
    /// One to one, within the process only.
    case pair
  }

  package let kind: Kind
  let handle: SocketHandle
  let frameByteCountMax: Int
  let frameCountMax: Int
  /// Only of a server: the peers that are still allowed.
  let authenticator: Authenticator?

  /// A server: takes connections only from clients that know its public key and that
  /// `authenticator` allows.
  ///
  /// `secret`: the 32 bytes that belong to that public key.
  package init(
    server kind: Kind, for authenticator: Authenticator, secret: Span<UInt8>,
    options: SocketOptions = SocketOptions()
  ) throws(ZeroMQError) {
    precondition(kind != .pair, "a pair stays within the process")
    let handle = try SocketHandle(kind, in: authenticator.context)
    try handle.apply(options)
    try handle.set(ZMQ_CURVE_SERVER, to: Int32(1))
    try handle.set(ZMQ_CURVE_SECRETKEY, toKey: secret)
    // With a domain, and only when it is enforced, libzmq refuses everyone when no authenticator
    // runs.
    try handle.set(ZMQ_ZAP_DOMAIN, to: Authenticator.domain)
    try handle.set(zapEnforceDomainOption, to: Int32(1))
    guard try handle.integer(ZMQ_MECHANISM) == ZMQ_CURVE,
      try handle.integer(ZMQ_CURVE_SERVER) == 1,
      try handle.integer(zapEnforceDomainOption) == 1,
      try handle.text(ZMQ_ZAP_DOMAIN) == Authenticator.domain
    else { throw .notSecured }
    self.init(kind, handle, options, authenticator)
  }

  /// A client: connects only to the server that holds the secret of `serverKey`.
  ///
  /// `secret`: the 32 bytes that belong to `publicKey`, by which the server's authenticator knows
  /// us.
  package init(
    client kind: Kind, in context: Context, serverKey: CurvePublicKey, publicKey: CurvePublicKey,
    secret: Span<UInt8>, options: SocketOptions = SocketOptions()
  ) throws(ZeroMQError) {
    precondition(kind != .pair, "a pair stays within the process")
    let handle = try SocketHandle(kind, in: context)
    try handle.apply(options)
    // Messages are for a connection that has shaken hands; they never wait for one that may never
    // come.
    try handle.set(ZMQ_IMMEDIATE, to: Int32(1))
    try handle.set(ZMQ_CURVE_SERVERKEY, toKey: serverKey.bytes.span)
    try handle.set(ZMQ_CURVE_PUBLICKEY, toKey: publicKey.bytes.span)
    try handle.set(ZMQ_CURVE_SECRETKEY, toKey: secret)
    guard try handle.integer(ZMQ_MECHANISM) == ZMQ_CURVE,
      try handle.integer(ZMQ_CURVE_SERVER) == 0
    else { throw .notSecured }
    self.init(kind, handle, options, nil)
  }

  /// Between threads of this process, without CURVE.
  package init(
    inProcess kind: Kind, in context: Context, options: SocketOptions = SocketOptions()
  ) throws(ZeroMQError) {
    let handle = try SocketHandle(kind, in: context)
    try handle.apply(options)
    self.init(kind, handle, options, nil)
  }

  private init(
    _ kind: Kind, _ handle: SocketHandle, _ options: SocketOptions, _ authenticator: Authenticator?
  ) {
    self.kind = kind
    self.handle = handle
    self.frameByteCountMax = options.frameByteCountMax
    self.frameCountMax = options.frameCountMax
    self.authenticator = authenticator
  }

  var isSecured: Bool {
    get throws(ZeroMQError) { try handle.integer(ZMQ_MECHANISM) == ZMQ_CURVE }
  }
}

extension Socket.Kind {
  var code: Int32 {
    switch self {
    case .dealer: ZMQ_DEALER
    case .router: ZMQ_ROUTER
    case .pair: ZMQ_PAIR
    }
  }
}

/// `ZMQ_ZAP_ENFORCE_DOMAIN`: zmq.h keeps its name for the draft interface, but every library since
/// 4.3.0 takes it.
private let zapEnforceDomainOption: Int32 = 93

// MARK: - Endpoints

extension Socket {
  /// Listens. Port `*` or 0 takes a free one; the result names the port that was taken.
  @discardableResult
  package borrowing func bind(_ endpoint: String) throws(ZeroMQError) -> String {
    try Endpoint.check(endpoint, for: .bind, isSecured: isSecured)
    guard unsafe zmq_bind(handle.pointer, endpoint) != 0 else {
      return try handle.text(ZMQ_LAST_ENDPOINT)
    }
    throw Endpoint.failure(Libzmq.lastCode, of: "zmq_bind", endpoint)
  }

  /// Begins to connect, and goes on trying; whether it succeeds is what a `Monitor` tells.
  ///
  /// After `handshakeFailed(.refused)` and `(.protocolBroken)` libzmq tries no more; after
  /// `(.noDetail)` it tries again and again after `reconnectDelay`, without growing patience. So
  /// after any of them: `disconnect`, wait, connect.
  package borrowing func connect(_ endpoint: String) throws(ZeroMQError) {
    try Endpoint.check(endpoint, for: .connect, isSecured: isSecured)
    guard unsafe zmq_connect(handle.pointer, endpoint) == 0 else {
      throw Endpoint.failure(Libzmq.lastCode, of: "zmq_connect", endpoint)
    }
  }

  /// The same text that `connect` was given. What was not sent yet is dropped.
  package borrowing func disconnect(_ endpoint: String) throws(ZeroMQError) {
    guard unsafe zmq_disconnect(handle.pointer, endpoint) == 0 else {
      throw Endpoint.failure(Libzmq.lastCode, of: "zmq_disconnect", endpoint)
    }
  }
}

// MARK: - The authenticator's name: libzmq looks for it, and one socket of a context has it

extension Socket {
  borrowing func bindAuthenticator() throws(ZeroMQError) {
    guard unsafe zmq_bind(handle.pointer, Endpoint.authenticator) == 0 else {
      throw Endpoint.failure(Libzmq.lastCode, of: "zmq_bind", Endpoint.authenticator)
    }
  }

  /// At once; what closing a socket does, libzmq does some time later on a thread of its own.
  borrowing func unbindAuthenticator() throws(ZeroMQError) {
    try Libzmq.check(unsafe zmq_unbind(handle.pointer, Endpoint.authenticator), "zmq_unbind")
  }
}

// MARK: - Options

extension SocketHandle {
  fileprivate func apply(_ options: SocketOptions) throws(ZeroMQError) {
    options.requireSound()
    let wireByteCountMax = options.frameByteCountMax + SocketOptions.curveOverheadByteCount
    try set(ZMQ_MAXMSGSIZE, to: Int64(wireByteCountMax))
    try set(ZMQ_SNDHWM, to: Int32(options.sendQueueCountMax))
    try set(ZMQ_RCVHWM, to: Int32(options.receiveQueueCountMax))
    try set(ZMQ_LINGER, to: options.linger)
    try set(ZMQ_BACKLOG, to: Int32(options.backlogCountMax))
    try set(ZMQ_HANDSHAKE_IVL, to: options.handshakeTimeout)
    try set(ZMQ_HEARTBEAT_IVL, to: options.heartbeatInterval)
    try set(ZMQ_HEARTBEAT_TIMEOUT, to: options.heartbeatTimeout)
    try set(ZMQ_HEARTBEAT_TTL, to: options.heartbeatTimeout)
    try set(ZMQ_CONNECT_TIMEOUT, to: options.connectTimeout)
    try set(ZMQ_RECONNECT_IVL, to: options.reconnectDelay)
    try set(ZMQ_RECONNECT_IVL_MAX, to: options.reconnectDelayMax)
    // Both families; libzmq falls back to IPv4 where the kernel has no other.
    try set(ZMQ_IPV6, to: Int32(1))
    // The kernel's own check, for connections whose other end is gone without a word: after 60 s,
    // four times 15 s.
    try set(ZMQ_TCP_KEEPALIVE, to: Int32(1))
    try set(ZMQ_TCP_KEEPALIVE_IDLE, to: Int32(60))
    try set(ZMQ_TCP_KEEPALIVE_INTVL, to: Int32(15))
    try set(ZMQ_TCP_KEEPALIVE_CNT, to: Int32(4))
    if let byteCount = options.kernelSendBufferByteCount {
      try set(ZMQ_SNDBUF, to: Int32(byteCount))
    }
    if let byteCount = options.kernelReceiveBufferByteCount {
      try set(ZMQ_RCVBUF, to: Int32(byteCount))
    }
    // A message to a peer that is gone is a result, not a silent loss.
    if try integer(ZMQ_TYPE) == ZMQ_ROUTER { try set(ZMQ_ROUTER_MANDATORY, to: Int32(1)) }
  }
}
