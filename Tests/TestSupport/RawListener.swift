import Glibc

/// A port of the loopback that takes connections into the kernel's queue, and says nothing.
package final class RawListener {
  package let port: UInt16
  private let descriptor: Int32

  package init() throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard listener >= 0 else { throw RawConnection.Failure(call: "socket", code: errno) }
    var address = RawConnection.loopback(0)
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(listener, $0, size) == 0 && listen(listener, 8) == 0
          && getsockname(listener, $0, &size) == 0
      }
    }
    guard code else { throw RawConnection.Failure(call: "listen", code: errno) }
    descriptor = listener
    port = UInt16(bigEndian: address.sin_port)
  }

  deinit { close(descriptor) }
}
