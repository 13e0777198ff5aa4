import Glibc
import Synchronization

/// Ports of the loopback that nobody listens on.
package enum FreePort {
  /// Below those that the kernel gives out by itself: nobody takes one while its daemon is down. Each process that tests
  /// has 1,000 of its own, which a name in the kernel holds as long as it runs.
  private static let share: (lock: NotifyReceiver, ports: Range<UInt16>) = {
    for start in stride(from: UInt16(20_000), to: 32_000, by: 1_000) {
      guard let lock = try? NotifyReceiver(at: "@distro-tests-ports-\(start)") else { continue }
      return (lock, start..<start + 1_000)
    }
    fatalError("12 processes that test run already")
  }()
  private static let taken = Mutex<Set<UInt16>>([])

  /// Another one each time.
  package static func take() throws -> UInt16 {
    for port in share.ports.shuffled() {
      guard taken.withLock({ $0.insert(port).inserted }) else { continue }
      do {
        close(try bound(to: port))
        return port
      } catch is RawConnection.Failure {
        continue
      }
    }
    throw RawConnection.Failure(call: "no port is free: bind", code: EADDRINUSE)
  }

  /// The same as libzmq names it.
  package static func endpoint() throws -> String { "tcp://127.0.0.1:\(try take())" }

  /// On one that the kernel chooses where `port` is 0.
  package static func listen(on port: UInt16 = 0) throws -> (descriptor: Int32, port: UInt16) {
    let descriptor = try bound(to: port)
    var address = RawConnection.loopback(0)
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isListening = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe Glibc.listen(descriptor, 64) == 0 && getsockname(descriptor, $0, &size) == 0
      }
    }
    guard isListening else { throw failure(of: "listen on port \(port)", descriptor) }
    return (descriptor, UInt16(bigEndian: address.sin_port))
  }

  /// A socket with an address, that does not listen: a program that is being started has it until its `exec`, and would
  /// keep the port from the next one if it listened.
  private static func bound(to port: UInt16) throws -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw RawConnection.Failure(call: "socket", code: errno) }
    // Connections that were closed lately are no listeners.
    var isOn: Int32 = 1
    unsafe setsockopt(
      descriptor, SOL_SOCKET, SO_REUSEADDR, &isOn, socklen_t(MemoryLayout<Int32>.size))
    var address = RawConnection.loopback(port)
    let code = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard code == 0 else { throw failure(of: "bind to port \(port)", descriptor) }
    return descriptor
  }

  private static func failure(of call: String, _ descriptor: Int32) -> RawConnection.Failure {
    let code = errno
    close(descriptor)
    return RawConnection.Failure(call: call, code: code)
  }

  /// `nil`: nobody listens there.
  package static func connect(to port: UInt16) -> Int32? {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
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
