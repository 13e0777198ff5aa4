internal import GitModel
internal import Glibc

extension Descriptor {
  /// Calls `body` with every name in the directory until it returns false; the order is the file
  /// system's.
  func forEachName(
    describing path: @autoclosure () -> String,
    _ body: ([UInt8]) throws(WorkingTreeError) -> Bool
  ) throws(WorkingTreeError) {
    let stream = try unsafe openStream(path())
    defer { unsafe closedir(stream) }
    var goesOn = true
    while goesOn {
      errno = 0
      guard let item = unsafe readdir(stream) else {
        guard errno == 0 else { throw .cannot(operation: "list", path: path(), code: errno) }
        return
      }
      let name = unsafe Self.name(of: item)
      if name == Array(".".utf8) || name == Array("..".utf8) { continue }
      goesOn = try body(name)
    }
  }

  private func openStream(
    _ path: @autoclosure () -> String
  ) throws(WorkingTreeError) -> OpaquePointer {
    let number = repeatWhileInterrupted { unsafe openat(self.number, ".", Self.readFlags) }
    guard number >= 0 else { throw .cannot(operation: "open", path: path(), code: errno) }
    guard let stream = unsafe fdopendir(number) else {
      let code = errno
      close(number)
      throw .cannot(operation: "list", path: path(), code: code)
    }
    return unsafe stream
  }

  private static func name(of item: UnsafeMutablePointer<dirent>) -> [UInt8] {
    unsafe withUnsafeBytes(of: &item.pointee.d_name) { unsafe Array($0.prefix { $0 != 0 }) }
  }

  /// The path of the first thing in a directory that is neither a directory nor in `exceptions`;
  /// `nil`: the directory is empty but for these, as git sees it.
  func content(
    of directory: EntryName, except exceptions: Set<[UInt8]>
  ) throws(WorkingTreeError) -> [UInt8]? {
    guard case .directory(let opened) = try self.directory(directory) else { return nil }
    var found: [UInt8]?
    try opened.forEachName(describing: TreePath.quoted(directory.path)) {
      name throws(WorkingTreeError) in
      let entry = directory.entry(name)
      guard let status = try opened.status(entry) else { return true }
      if status.isDirectory {
        found = try opened.content(of: entry, except: exceptions)
      } else if !exceptions.contains(entry.path) {
        found = entry.path
      }
      return found == nil
    }
    return found
  }

  /// Removes a directory that holds nothing but directories; whatever else is in it stays and is
  /// an error.
  func removeEmptyTree(_ directory: EntryName) throws(WorkingTreeError) {
    guard case .directory(let opened) = try self.directory(directory) else { return }
    try opened.forEachName(describing: TreePath.quoted(directory.path)) {
      name throws(WorkingTreeError) in
      let entry = directory.entry(name)
      guard let status = try opened.status(entry) else { return true }
      guard status.isDirectory else { throw .cannot("remove", directory, ENOTEMPTY) }
      try opened.removeEmptyTree(entry)
      return true
    }
    let code = removeDirectory(directory)
    guard code == 0 || code == ENOENT else { throw .cannot("remove", directory, code) }
  }
}
