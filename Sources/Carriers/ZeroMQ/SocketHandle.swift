import CZeroMQ

/// Owns one `zmq_socket`: closed when its `Socket` goes. A `Poller` and a `Monitor` hold it weakly.
///
/// Not Sendable: libzmq's sockets are not thread safe.
@safe final class SocketHandle {
  let pointer: UnsafeMutableRawPointer
  var isMonitored = false
  let context: Context

  init(_ kind: Socket.Kind, in context: Context) throws(ZeroMQError) {
    guard let pointer = unsafe zmq_socket(context.pointer, kind.code) else {
      if Libzmq.lastCode == EMFILE { throw .tooManySockets(countMax: context.socketCountMax) }
      throw Libzmq.lastFailure(of: "zmq_socket")
    }
    unsafe self.pointer = unsafe pointer
    self.context = context
  }

  deinit {
    stopMonitoring()
    unsafe zmq_close(pointer)
  }

  /// libzmq reports a monitored socket's events by a blocking send from its I/O thread. Without a
  /// reader that never ends, and all sockets of the context stand still: so no event may follow the
  /// monitor's end or the socket's.
  func stopMonitoring() {
    guard isMonitored else { return }
    isMonitored = false
    // Can fail only when the context has ended, and with it every event.
    unsafe zmq_socket_monitor(pointer, nil, 0)
  }
}

// MARK: - Options; every code is checked

extension SocketHandle {
  func set(_ option: Int32, to value: Int32) throws(ZeroMQError) {
    var value = value
    let byteCount = MemoryLayout.size(ofValue: value)
    let code = unsafe zmq_setsockopt(pointer, option, &value, byteCount)
    try Libzmq.check(code, "zmq_setsockopt \(option)")
  }

  func set(_ option: Int32, to value: Int64) throws(ZeroMQError) {
    var value = value
    let byteCount = MemoryLayout.size(ofValue: value)
    let code = unsafe zmq_setsockopt(pointer, option, &value, byteCount)
    try Libzmq.check(code, "zmq_setsockopt \(option)")
  }

  func set(_ option: Int32, to duration: Duration) throws(ZeroMQError) {
    try set(option, to: duration.milliseconds)
  }

  func set(_ option: Int32, to text: String) throws(ZeroMQError) {
    let code = unsafe zmq_setsockopt(pointer, option, text, text.utf8.count)
    try Libzmq.check(code, "zmq_setsockopt \(option)")
  }

  /// 32 bytes of a CURVE key. Any other length would be taken for the key's text form, or refused.
  func set(_ option: Int32, toKey key: Span<UInt8>) throws(ZeroMQError) {
    guard key.count == CurvePublicKey.byteCount else {
      throw .keyByteCountWrong(actual: key.count)
    }
    let code = unsafe key.withUnsafeBytes { bytes in
      unsafe zmq_setsockopt(pointer, option, bytes.baseAddress, bytes.count)
    }
    try Libzmq.check(code, "zmq_setsockopt \(option)")
  }

  func integer(_ option: Int32) throws(ZeroMQError) -> Int32 {
    var value: Int32 = 0
    var byteCount = MemoryLayout.size(ofValue: value)
    let code = unsafe zmq_getsockopt(pointer, option, &value, &byteCount)
    try Libzmq.check(code, "zmq_getsockopt \(option)")
    return value
  }

  func text(_ option: Int32) throws(ZeroMQError) -> String {
    var bytes = [UInt8](repeating: 0, count: 1_024)
    var byteCount = bytes.count
    let code = unsafe zmq_getsockopt(pointer, option, &bytes, &byteCount)
    try Libzmq.check(code, "zmq_getsockopt \(option)")
    return String(decoding: bytes.prefix(byteCount).prefix { $0 != 0 }, as: UTF8.self)
  }
}
