import Glibc

/// Whether a process of ours can listen at an address of this machine; found out by binding there for a moment.
package enum PortProbe {
  /// `host`: a name or a number. Throws EADDRINUSE where another process listens.
  package static func requireFree(host: String, port: UInt16) throws(HostError) {
    let subject = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    var hints = unsafe addrinfo()
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    unsafe hints.ai_flags = AI_PASSIVE
    var found: UnsafeMutablePointer<addrinfo>?
    let code = unsafe getaddrinfo(host, "\(port)", &hints, &found)
    defer { unsafe freeaddrinfo(found) }
    guard code == 0, let address = unsafe found?.pointee else {
      throw .system(call: "getaddrinfo", subject: subject, code: code == EAI_SYSTEM ? errno : ENXIO)
    }
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    let descriptor = unsafe socket(address.ai_family, type, 0)
    guard descriptor >= 0 else { throw .system(call: "socket", subject: subject, code: errno) }
    defer { close(descriptor) }
    var reuse: Int32 = 1
    let size = socklen_t(MemoryLayout<Int32>.size)
    guard unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, size) == 0,
      unsafe bind(descriptor, address.ai_addr, address.ai_addrlen) == 0,
      // Only here the kernel compares with those that listen (SO_REUSEADDR of socket(7)).
      listen(descriptor, 1) == 0
    else { throw .system(call: "bind", subject: subject, code: errno) }
  }
}
