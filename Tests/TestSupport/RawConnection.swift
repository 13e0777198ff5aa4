package import Glibc

/// A TCP connection that can say anything.
package final class RawConnection: Sendable {
  package struct Failure: Error {
    package let call: String
    package let code: Int32

    package init(call: String, code: Int32) {
      (self.call, self.code) = (call, code)
    }
  }

  package let descriptor: Int32

  /// `endpoint`: as `Socket.bind` gives it, on this machine.
  package init(to endpoint: String) throws {
    guard let port = endpoint.split(separator: ":").last.flatMap({ UInt16($0) }) else {
      throw Failure(call: "port of \(endpoint)", code: EINVAL)
    }
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw Failure(call: "socket", code: errno) }
    var address = Self.loopback(port)
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe connect(descriptor, $0, size)
      }
    }
    guard code == 0 else { throw Failure(call: "connect", code: errno) }
    // A test that waits for the other side to hang up ends in any case.
    var timeout = timeval(tv_sec: Int(patience.components.seconds), tv_usec: 0)
    let timeoutSize = socklen_t(MemoryLayout<timeval>.size)
    guard unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, timeoutSize) == 0
    else { throw Failure(call: "setsockopt", code: errno) }
  }

  deinit { close(descriptor) }

  package static func loopback(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
    return address
  }

  package func send(_ bytes: [UInt8]) throws {
    let count = unsafe Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    guard count == bytes.count else { throw Failure(call: "send", code: errno) }
  }

  /// All that comes until the other side hangs up.
  package func readToEnd() throws -> [UInt8] {
    var all: [UInt8] = []
    var bytes = [UInt8](repeating: 0, count: 4_096)
    while true {
      let count = unsafe recv(descriptor, &bytes, bytes.count, 0)
      if count == 0 || (count < 0 && errno == ECONNRESET) { return all }
      guard count > 0 else {
        throw Failure(call: "recv: the other side did not hang up", code: errno)
      }
      all += bytes.prefix(count)
    }
  }
}
