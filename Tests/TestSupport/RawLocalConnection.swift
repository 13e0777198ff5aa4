import Glibc

/// A connection to a socket in the file system that can say anything.
package final class RawLocalConnection {
  private let descriptor: Int32

  package init(to path: String) throws {
    descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else {
      throw RawConnection.Failure(call: "socket", code: errno)
    }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) {
      unsafe $0.copyBytes(from: Array(path.utf8) + [0])
    }
    let code = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard code == 0 else { throw RawConnection.Failure(call: "connect", code: errno) }
    // A test that waits for the other side to hang up ends in any case.
    var timeout = timeval(tv_sec: Int(patience.components.seconds), tv_usec: 0)
    let size = socklen_t(MemoryLayout<timeval>.size)
    guard unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, size) == 0
    else { throw RawConnection.Failure(call: "setsockopt", code: errno) }
  }

  deinit { close(descriptor) }

  /// The other side may hang up meanwhile.
  package func send(_ bytes: [UInt8]) {
    _ = unsafe Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
  }

  /// With its length before it, as the signer's socket takes it.
  package func sendFrame(_ text: String) { send(Self.frame(text)) }

  package static func frame(_ text: String) -> [UInt8] {
    let count = UInt32(text.utf8.count)
    return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: count >> $0) } + Array(text.utf8)
  }

  /// All that comes until the other side hangs up, without what is no text.
  package func readToEnd() throws -> String {
    var all: [UInt8] = []
    var bytes = [UInt8](repeating: 0, count: 4_096)
    while true {
      let count = unsafe recv(descriptor, &bytes, bytes.count, 0)
      if count == 0 || (count < 0 && errno == ECONNRESET) {
        return String(decoding: all, as: UTF8.self)
      }
      guard count > 0 else {
        throw RawConnection.Failure(call: "recv: the other side did not hang up", code: errno)
      }
      all += bytes.prefix(count)
    }
  }

  /// Nothing more is said.
  package func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }
}
