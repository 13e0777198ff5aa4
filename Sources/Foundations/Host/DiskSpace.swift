import Glibc

/// What is left on the file system of a path, for users without privileges (statvfs(3)).
package struct DiskSpace: Sendable, Equatable {
  package let freeByteCount: UInt64
  package let byteCount: UInt64
  /// Nodes that are free; `nil` where the file system makes them as needed.
  package let freeNodeCount: UInt64?

  package init(at path: String) throws(HostError) {
    var status = statvfs()
    guard unsafe statvfs(path, &status) == 0 else {
      throw .system(call: "statvfs", subject: path, code: errno)
    }
    let unit = UInt64(status.f_frsize)
    freeByteCount = UInt64(status.f_bavail) * unit
    byteCount = UInt64(status.f_blocks) * unit
    freeNodeCount = status.f_files == 0 ? nil : UInt64(status.f_favail)
  }
}
