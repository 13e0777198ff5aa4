import CZeroMQ
import Glibc

/// One libzmq context: its I/O threads, and a limit on its sockets.
///
/// Ends when its last socket and its last owner have let go; that waits for what is still to be
/// sent, at most as long as the sockets' `linger`. `@unchecked Sendable`: a context is thread safe
/// (zmq_ctx_new(3)), `pointer` is immutable, and only `deinit` frees it, when nothing else can hold
/// it.
@safe package final class Context: @unchecked Sendable {
  /// A monitored socket counts three times, and an authenticator once. Connections are not sockets.
  package static let socketCountMaxDefault = 64

  let pointer: UnsafeMutableRawPointer
  let socketCountMax: Int

  /// `threadCount`: of I/O threads. One moves more than one core can encrypt; libzmq looks through all timers of a
  /// thread whenever a heartbeat comes, so that a server of thousands wants more.
  package init(
    socketCountMax: Int = Context.socketCountMaxDefault, threadCount: Int = 1
  ) throws(ZeroMQError) {
    try Libzmq.requireVersion()
    try Libzmq.requireCurve()
    guard let pointer = unsafe zmq_ctx_new() else { throw Libzmq.lastFailure(of: "zmq_ctx_new") }
    unsafe self.pointer = unsafe pointer
    self.socketCountMax = socketCountMax
    // `ZMQ_BLOCKY` off: a socket whose linger was not set waits for nothing at the end, rather than
    // for ever.
    try set(ZMQ_IO_THREADS, to: Int32(threadCount))
    try set(ZMQ_MAX_SOCKETS, to: Int32(socketCountMax))
    try set(ZMQ_BLOCKY, to: 0)
  }

  deinit {
    while unsafe zmq_ctx_term(pointer) != 0 && Libzmq.lastCode == EINTR {}
  }

  /// Every call on a socket of this context, on whatever thread, ends with `contextEnded` from now
  /// on.
  package func shutdown() {
    // Fails only for what is no context.
    let code = unsafe zmq_ctx_shutdown(pointer)
    precondition(code == 0, "a context is valid until it is freed")
  }

  private func set(_ option: Int32, to value: Int32) throws(ZeroMQError) {
    try Libzmq.check(unsafe zmq_ctx_set(pointer, option, value), "zmq_ctx_set")
  }
}
