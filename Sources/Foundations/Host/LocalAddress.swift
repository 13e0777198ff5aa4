import Glibc

/// The address of a socket in the file system: unix(7). A path that is too long for one is reached through its directory,
/// by /proc/self/fd.
final class LocalAddress {
  /// O_PATH of open(2): asks for no right but to pass through.
  private static let pathOnly: Int32 = 0o10000000

  let path: String
  private let directory: Int32?
  private let address: String

  init(_ path: String) throws(HostError) {
    self.path = path
    let room = MemoryLayout.size(ofValue: sockaddr_un().sun_path)
    guard path.utf8.count >= room else {
      (directory, address) = (nil, path)
      return
    }
    let (parent, name) = Self.split(path)
    let descriptor = unsafe open(parent, Self.pathOnly | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system(call: "open", subject: parent, code: errno) }
    (directory, address) = (descriptor, "/proc/self/fd/\(descriptor)/\(name)")
    guard address.utf8.count < room else {
      throw .system(call: "bind", subject: path, code: ENAMETOOLONG)
    }
  }

  deinit { if let directory { close(directory) } }

  static func split(_ path: String) -> (parent: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    let parent = slash == path.startIndex ? "/" : String(path[..<slash])
    return (parent, String(path[path.index(after: slash)...]))
  }

  /// `call`: bind(2) or connect(2), which returns 0 or sets errno. Returns its error, 0 for none.
  func withSocketAddress(
    _ call: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) -> Int32 {
    var name = sockaddr_un()
    name.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &name.sun_path) {
      unsafe $0.copyBytes(from: Array(address.utf8) + [0])
    }
    let length = socklen_t(MemoryLayout<sockaddr_un>.size)
    return unsafe withUnsafePointer(to: &name) { name in
      unsafe name.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
        unsafe call(name, length) == 0 ? 0 : errno
      }
    }
  }
}
