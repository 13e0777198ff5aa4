import CZeroMQ

/// The bytes of one part of a multipart message, in memory of libzmq's, so that they cross a socket
/// without a copy.
///
/// Immutable. Not Sendable: sending a frame counts its holders in place. Sending one frame to many
/// peers shares its bytes.
@safe package final class Frame {
  // In memory of its own, since libzmq keeps up to 33 bytes within the `zmq_msg_t` and hands out
  // pointers to them.
  private let message: UnsafeMutablePointer<zmq_msg_t>

  /// For `receive` to fill.
  init() {
    unsafe message = .allocate(capacity: 1)
    unsafe message.initialize(to: zmq_msg_t())
    // Cannot fail: zmq_msg_init(3).
    unsafe zmq_msg_init(message)
  }

  private init(uninitializedByteCount byteCount: Int) {
    unsafe message = .allocate(capacity: 1)
    unsafe message.initialize(to: zmq_msg_t())
    let code = unsafe zmq_msg_init_size(message, byteCount)
    precondition(code == 0, "memory is there, as for any array")
  }

  deinit {
    unsafe zmq_msg_close(message)
    unsafe message.deallocate()
  }

  package convenience init(copying bytes: Span<UInt8>) {
    self.init(uninitializedByteCount: bytes.count)
    unsafe bytes.withUnsafeBytes { source in unsafe buffer.copyBytes(from: source) }
  }

  package convenience init(copying bytes: [UInt8]) {
    self.init(copying: bytes.span)
  }

  /// `fill` writes exactly `byteCount` bytes straight into the frame: from a file, say.
  package convenience init<Failure>(
    byteCount: Int, fill: (inout OutputSpan<UInt8>) throws(Failure) -> Void
  ) throws(Failure) {
    self.init(uninitializedByteCount: byteCount)
    let bytes = unsafe buffer.bindMemory(to: UInt8.self)
    var output = unsafe OutputSpan(buffer: bytes, initializedCount: 0)
    try fill(&output)
    let filledCount = unsafe output.finalize(for: bytes)
    precondition(filledCount == byteCount, "a frame is filled to its end")
  }

  package var byteCount: Int { unsafe zmq_msg_size(message) }

  /// Lends the bytes where they are.
  package func withBytes<Result: ~Copyable, Failure>(
    _ body: (Span<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let bytes = unsafe UnsafeBufferPointer(buffer.bindMemory(to: UInt8.self))
    return try body(unsafe bytes.span)
  }

  /// A copy.
  package var bytes: [UInt8] { unsafe [UInt8](buffer) }

  private var buffer: UnsafeMutableRawBufferPointer {
    unsafe UnsafeMutableRawBufferPointer(start: zmq_msg_data(message), count: byteCount)
  }
}

// MARK: - What a socket does with it

extension Frame {
  /// 0, or the error's code.
  func receive(from socket: UnsafeMutableRawPointer, flags: Int32) -> Int32 {
    unsafe zmq_msg_recv(message, socket, flags) < 0 ? Libzmq.lastCode : 0
  }

  /// 0, or the error's code. Keeps the bytes: what is handed over is one more holder of them.
  func send(to socket: UnsafeMutableRawPointer, flags: Int32) -> Int32 {
    var copy = zmq_msg_t()
    unsafe zmq_msg_init(&copy)
    guard unsafe zmq_msg_copy(&copy, message) == 0 else { return Libzmq.lastCode }
    guard unsafe zmq_msg_send(&copy, socket, flags) < 0 else { return 0 }
    let code = Libzmq.lastCode
    unsafe zmq_msg_close(&copy)
    return code
  }

  /// Whether another frame of the same message follows.
  var hasMore: Bool { unsafe zmq_msg_more(message) != 0 }

  /// The user id that the authenticator gave to the connection it came over; `nil` when there was
  /// none.
  var userID: String? {
    guard let text = unsafe zmq_msg_gets(message, "User-Id") else { return nil }
    return unsafe String(validatingCString: text)
  }

  /// The descriptor of the TCP connection it came over; -1 when there is none. zmq_msg_get(3) calls it deprecated, but
  /// has nothing in its place.
  package var descriptor: Int32 { unsafe zmq_msg_get(message, ZMQ_SRCFD) }

  /// The same with a hold on it; `nil` where the connection has gone.
  package var connection: Connection? { Connection(descriptor: descriptor) }
}
