import Glibc

/// Sockets on the loopback.
package enum FreePort {
  /// Below those that the kernel gives out by itself: nobody takes it while a relay is down.
  private static let range: Range<UInt16> = 20_000..<32_000

  package static func take() throws -> UInt16 {
    for _ in 0..<100 {
      let port = UInt16.random(in: range)
      do {
        close(try listen(on: port).descriptor)
        return port
      } catch {
        continue
      }
    }
    throw RawConnection.Failure(call: "find a free port", code: EADDRINUSE)
  }

  package static func listen(on port: UInt16) throws -> (descriptor: Int32, port: UInt16) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = RawConnection.loopback(port)
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isListening = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(descriptor, $0, size) == 0 && Glibc.listen(descriptor, 64) == 0
          && getsockname(descriptor, $0, &size) == 0
      }
    }
    guard isListening else {
      let code = errno
      close(descriptor)
      throw RawConnection.Failure(call: "listen on \(port)", code: code)
    }
    return (descriptor, UInt16(bigEndian: address.sin_port))
  }

  package static func connect(to port: UInt16) -> Int32? {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = RawConnection.loopback(port)
    let code = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    if code == 0 { return descriptor }
    close(descriptor)
    return nil
  }
}
