import Glibc

/// What is in a directory, so exactly that two listings are equal only where nothing has changed: names, and of each
/// file what stat(2) tells.
package struct DirectoryListing: Equatable, Sendable {
  package struct Entry: Equatable, Sendable {
    package let name: String
    let inode: UInt64
    let size: Int64
    /// Seconds and nanoseconds; `changed` moves whatever is done to a file.
    let modified: [Int]
    let changed: [Int]
  }

  /// Sorted by name.
  package let entries: [Entry]

  /// Symbolic links are followed; a file that goes meanwhile is left out. One with more than `countMax` is an error.
  package init(of path: String, countMax: Int) throws(SpoolError) {
    guard let stream = unsafe opendir(path) else {
      throw .cannot(operation: "list", path: path, code: errno)
    }
    defer { unsafe closedir(stream) }
    let directory = unsafe dirfd(stream)
    var entries: [Entry] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      var status = stat()
      guard name != ".", name != "..", unsafe fstatat(directory, name, &status, 0) == 0 else {
        continue
      }
      guard entries.count < countMax else {
        throw .cannot(operation: "list", path: path, code: EFBIG)
      }
      entries.append(
        Entry(
          name: name, inode: UInt64(status.st_ino), size: Int64(status.st_size),
          modified: [status.st_mtim.tv_sec, status.st_mtim.tv_nsec],
          changed: [status.st_ctim.tv_sec, status.st_ctim.tv_nsec]))
    }
    self.entries = entries.sorted { $0.name < $1.name }
  }
}
