import Glibc

/// A symbolic link itself, not what it leads to.
package enum SymbolicLink {
  /// Where it leads, as it is written (readlink(2)); `nil`: there is no link at the path.
  package static func target(of path: String) throws(HostError) -> String? {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let count = unsafe readlink(path, &buffer, buffer.count - 1)
    guard count < 0 else {
      return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
    guard [EINVAL, ENOENT, ENOTDIR].contains(errno) else {
      throw .system(call: "readlink", subject: path, code: errno)
    }
    return nil
  }
}
