import Foundation

/// The service manager's side of sd_notify(3): a datagram socket at a path or, with `@`, at an abstract address.
package final class NotifyReceiver: Sendable {
  private static let byteCountMax = 4_096

  private let descriptor: Int32

  package init(
    at address: String, timeoutSeconds: Int = Int(patience.components.seconds)
  ) throws {
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    if address.hasPrefix("/") { unsafe unlink(address) }
    var name = sockaddr_un()
    name.sun_family = sa_family_t(AF_UNIX)
    let isAbstract = address.hasPrefix("@")
    var bytes = Array(address.utf8) + (isAbstract ? [] : [0])
    if isAbstract { bytes[0] = 0 }
    unsafe withUnsafeMutableBytes(of: &name.sun_path) { unsafe $0.copyBytes(from: bytes) }
    let offset = MemoryLayout<sockaddr_un>.size - MemoryLayout.size(ofValue: name.sun_path)
    let length = socklen_t(offset + bytes.count)
    let code = unsafe withUnsafePointer(to: &name) { name in
      unsafe name.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(descriptor, $0, length)
      }
    }
    guard code == 0 else { throw POSIXError(.EADDRINUSE) }
    var timeout = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
    unsafe setsockopt(
      descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close(descriptor) }

  /// The lines of the next datagram; throws when none comes.
  package func next() throws -> [String] {
    guard let lines = receive(0) else { throw POSIXError(.ETIMEDOUT) }
    return lines
  }

  /// All that has come already.
  package func takeAll() -> [[String]] {
    var all: [[String]] = []
    while let lines = receive(Int32(MSG_DONTWAIT)) { all.append(lines) }
    return all
  }

  private func receive(_ flags: Int32) -> [String]? {
    var bytes = [UInt8](repeating: 0, count: Self.byteCountMax)
    let count = unsafe recv(descriptor, &bytes, bytes.count, flags)
    guard count >= 0 else { return nil }
    return String(decoding: bytes.prefix(count), as: UTF8.self).components(separatedBy: "\n")
  }

  /// Up to the datagram that has this line; answers it.
  @discardableResult
  package func next(with line: String) throws -> [String] {
    while true {
      let lines = try next()
      if lines.contains(line) { return lines }
    }
  }
}
