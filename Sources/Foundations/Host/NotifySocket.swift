import Glibc

/// The service manager's end of sd_notify(3): one datagram for each message.
///
/// Without systemd's library, whose protocol is part of its stable interface: lines `KEY=value` to an AF_UNIX socket at
/// a path, or at an abstract address where the name begins with `@`.
package final class NotifySocket: Sendable {
  private let descriptor: Int32
  private let address: String

  /// `address`: the value of `NOTIFY_SOCKET`.
  package init(_ address: String) throws(HostError) {
    // Checked here, so that a mistake shows at the start rather than at the first message.
    _ = try Self.socketAddress(address)
    let type = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue)
    descriptor = socket(AF_UNIX, type, 0)
    guard descriptor >= 0 else { throw .system(call: "socket", subject: address, code: errno) }
    self.address = address
  }

  deinit { close(descriptor) }

  /// From any thread. Connects anew each time, since the manager may have been started again in between.
  package func send(_ lines: [String]) throws(HostError) {
    let bytes = Array(lines.joined(separator: "\n").utf8)
    var (name, length) = try Self.socketAddress(address)
    let sent = unsafe withUnsafePointer(to: &name) { name in
      unsafe name.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
        unsafe sendto(
          descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), name, length)
      }
    }
    guard sent == bytes.count else {
      throw .system(call: "sendto", subject: address, code: errno)
    }
  }

  private static func socketAddress(
    _ address: String
  ) throws(HostError) -> (sockaddr_un, socklen_t) {
    var name = sockaddr_un()
    name.sun_family = sa_family_t(AF_UNIX)
    var bytes = Array(address.utf8)
    let room = MemoryLayout.size(ofValue: name.sun_path)
    guard let first = bytes.first, bytes.count > 1, bytes.count < room,
      first == UInt8(ascii: "/") || first == UInt8(ascii: "@")
    else { throw .notifyAddressInvalid(address) }
    // unix(7): an abstract address begins with a zero byte, and ends where its length says.
    let isAbstract = first == UInt8(ascii: "@")
    if isAbstract { bytes[0] = 0 } else { bytes.append(0) }
    unsafe withUnsafeMutableBytes(of: &name.sun_path) { unsafe $0.copyBytes(from: bytes) }
    let offset = MemoryLayout<sockaddr_un>.size - room
    return (name, socklen_t(offset + bytes.count))
  }
}
