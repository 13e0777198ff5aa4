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

    fileprivate init(_ name: String, _ status: stat) {
      self.name = name
      (inode, size) = (UInt64(status.st_ino), Int64(status.st_size))
      modified = [status.st_mtim.tv_sec, status.st_mtim.tv_nsec]
      changed = [status.st_ctim.tv_sec, status.st_ctim.tv_nsec]
    }
  }

  /// Sorted by name.
  package let entries: [Entry]

  /// Symbolic links are followed, and one that leads nowhere is listed all the same; a file that goes meanwhile is left
  /// out. A directory with more than `countMax` entries is an error.
  package init(of path: String, countMax: Int) throws(SpoolError) {
    var entries: [Entry] = []
    try forEachName(in: path) { (name, directory) throws(SpoolError) in
      var status = stat()
      let isFound = [0, AT_SYMLINK_NOFOLLOW].contains {
        unsafe fstatat(directory, name, &status, $0) == 0
      }
      if !isFound && errno == ENOENT { return }
      guard entries.count < countMax else {
        throw .cannot(operation: "list", path: path, code: EFBIG)
      }
      entries.append(Entry(name, status))
    }
    self.entries = entries.sorted { $0.name < $1.name }
  }
}

/// Every name in a directory but `.` and `..`, with the directory's descriptor. What readdir(3) cannot read is an error,
/// and not the end.
func forEachName(
  in path: String, _ body: (String, Int32) throws(SpoolError) -> Void
) throws(SpoolError) {
  guard let stream = unsafe opendir(path) else {
    throw .cannot(operation: "list", path: path, code: errno)
  }
  defer { unsafe closedir(stream) }
  while true {
    errno = 0
    guard let entry = unsafe readdir(stream) else {
      guard errno == 0 else { throw .cannot(operation: "list", path: path, code: errno) }
      return
    }
    let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
      unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
    }
    if name != "." && name != ".." { try body(name, unsafe dirfd(stream)) }
  }
}
