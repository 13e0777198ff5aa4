import CZeroMQ
import Testing
import ZeroMQ

/// A socket without CURVE, as only a test makes one.
@safe final class PlainSocket {
  private let context: UnsafeMutableRawPointer
  private let socket: UnsafeMutableRawPointer

  init(_ kind: Int32) throws {
    unsafe context = try #require(unsafe zmq_ctx_new())
    unsafe socket = try #require(unsafe zmq_socket(context, kind))
    var none: Int32 = 0
    let size = MemoryLayout.size(ofValue: none)
    try #require(unsafe zmq_setsockopt(socket, ZMQ_LINGER, &none, size) == 0)
    var yes: Int32 = 1
    try #require(unsafe zmq_setsockopt(socket, ZMQ_IPV6, &yes, size) == 0)
  }

  deinit {
    unsafe zmq_close(socket)
    unsafe zmq_ctx_term(context)
  }

  func connect(_ endpoint: String) throws {
    try #require(unsafe zmq_connect(socket, endpoint) == 0)
  }

  func bind() throws -> String {
    try #require(unsafe zmq_bind(socket, "tcp://127.0.0.1:*") == 0)
    var text = [CChar](repeating: 0, count: 256)
    var count = text.count
    try #require(unsafe zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, &text, &count) == 0)
    return String(decoding: text.prefix(count - 1).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  func send(_ text: String) {
    unsafe zmq_send(socket, text, text.utf8.count, ZMQ_DONTWAIT)
  }
}

// MARK: - With CURVE, but without our wrapper: what throughput is measured against

extension PlainSocket {
  func secureAsServer(_ keys: KeyPair) throws {
    var yes: Int32 = 1
    try #require(unsafe zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &yes, 4) == 0)
    try #require(unsafe zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, keys.secret, 32) == 0)
    try setQueues()
  }

  func secureAsClient(_ keys: KeyPair, serverKey: CurvePublicKey) throws {
    try #require(unsafe zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, serverKey.bytes, 32) == 0)
    try #require(unsafe zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, keys.publicKey.bytes, 32) == 0)
    try #require(unsafe zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, keys.secret, 32) == 0)
    var milliseconds: Int32 = 10_000
    try #require(unsafe zmq_setsockopt(socket, ZMQ_LINGER, &milliseconds, 4) == 0)
    try setQueues()
  }

  private func setQueues() throws {
    var count = Int32(SocketOptions().sendQueueCountMax)
    try #require(unsafe zmq_setsockopt(socket, ZMQ_SNDHWM, &count, 4) == 0)
    try #require(unsafe zmq_setsockopt(socket, ZMQ_RCVHWM, &count, 4) == 0)
  }

  func sendWaiting(_ bytes: [UInt8], more: Bool) {
    unsafe zmq_send(socket, bytes, bytes.count, more ? ZMQ_SNDMORE : 0)
  }

  /// The size of the next frame; it is not copied.
  func receive() -> Int {
    var message = zmq_msg_t()
    unsafe zmq_msg_init(&message)
    unsafe zmq_msg_recv(&message, socket, 0)
    let byteCount = unsafe zmq_msg_size(&message)
    unsafe zmq_msg_close(&message)
    return byteCount
  }
}
