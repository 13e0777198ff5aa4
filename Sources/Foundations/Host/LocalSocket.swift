import Glibc

/// One end of a connection between two programs of this machine: unix(7), a stream. No call waits but `waitUntil…`, and
/// those not longer than they are told. From any thread.
package final class LocalSocket: Sendable {
  private static let readByteCount = 64 << 10
  /// A full queue of connections is looked at again so soon.
  private static let retryMicroseconds: UInt32 = 20_000
  /// SO_PEERCRED of unix(7), and struct ucred: process, user, group.
  private static let peerCredentials: Int32 = 17

  private let descriptor: Int32

  /// Takes the descriptor over.
  init(descriptor: Int32) { self.descriptor = descriptor }

  /// A program that listens there has room for us in its queue, at the latest by `end`: ETIMEDOUT. ENOENT and ECONNREFUSED:
  /// none listens.
  package init(connectingTo path: String, by end: ContinuousClock.Instant) throws(HostError) {
    let address = try LocalAddress(path)
    while true {
      let descriptor = try Self.make(for: path)
      let code = unsafe address.withSocketAddress { unsafe connect(descriptor, $0, $1) }
      if code == 0 {
        self.descriptor = descriptor
        return
      }
      close(descriptor)
      guard code == EAGAIN || code == EINTR else {
        throw .system(call: "connect", subject: path, code: code)
      }
      guard .now < end else { throw .system(call: "connect", subject: path, code: ETIMEDOUT) }
      usleep(Self.retryMicroseconds)
    }
  }

  deinit { close(descriptor) }

  static func make(for path: String) throws(HostError) -> Int32 {
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let descriptor = socket(AF_UNIX, type, 0)
    guard descriptor >= 0 else { throw .system(call: "socket", subject: path, code: errno) }
    return descriptor
  }

  /// Calls on it return at once, and programs that are started do not get it.
  static func prepare(_ descriptor: Int32) {
    // Neither fails on a descriptor that is open.
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
  }

  /// Returns how many the other end's queue took, maybe none.
  package func send(_ bytes: ArraySlice<UInt8>) throws(HostError) -> Int {
    let count = unsafe bytes.withUnsafeBytes { bytes in
      unsafe Glibc.send(
        descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
    }
    if count >= 0 { return count }
    if [EAGAIN, EWOULDBLOCK, EINTR].contains(errno) { return 0 }
    throw .system(call: "send", subject: "socket", code: errno)
  }

  /// What has come; `nil`: nothing yet. Empty: the other end says nothing more.
  package func receive() throws(HostError) -> [UInt8]? {
    var buffer = [UInt8](repeating: 0, count: Self.readByteCount)
    let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
    if count >= 0 { return Array(buffer.prefix(count)) }
    if [EAGAIN, EWOULDBLOCK, EINTR].contains(errno) { return nil }
    // It closed without having read all of ours.
    if errno == ECONNRESET { return [] }
    throw .system(call: "recv", subject: "socket", code: errno)
  }

  /// Whether something has come by then, the end of the other side included.
  package func waitUntilReadable(by end: ContinuousClock.Instant) -> Bool {
    wait(for: Int16(POLLIN), by: end)
  }

  /// Whether the other end has room by then, or is gone.
  package func waitUntilWritable(by end: ContinuousClock.Instant) -> Bool {
    wait(for: Int16(POLLOUT), by: end)
  }

  /// The other end has closed its socket, or its program has ended.
  package var isPeerGone: Bool {
    var poller = pollfd(fd: descriptor, events: 0, revents: 0)
    return unsafe poll(&poller, 1, 0) > 0 && poller.revents & Int16(POLLHUP | POLLERR) != 0
  }

  /// The user of the program at the other end, when it connected.
  package var peerUser: UInt32? {
    var credentials: (Int32, UInt32, UInt32) = (0, 0, 0)
    var size = socklen_t(MemoryLayout.size(ofValue: credentials))
    let code = unsafe getsockopt(
      descriptor, SOL_SOCKET, Self.peerCredentials, &credentials, &size)
    return code == 0 ? credentials.1 : nil
  }

  /// Ends both directions: waits on either side return.
  package func shutDown() { shutdown(descriptor, Int32(SHUT_RDWR)) }

  private func wait(for events: Int16, by end: ContinuousClock.Instant) -> Bool {
    var poller = pollfd(fd: descriptor, events: events, revents: 0)
    while true {
      let code = unsafe poll(&poller, 1, (end - .now).pollMilliseconds)
      if code > 0 { return true }
      if code < 0 && errno != EINTR { return true }
      guard .now < end else { return false }
    }
  }
}

extension Duration {
  /// For poll(2): not less than this, and at most an hour.
  var pollMilliseconds: Int32 {
    let (seconds, attoseconds) = max(.zero, min(self, .seconds(3_600))).components
    return Int32(seconds * 1_000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
  }
}
