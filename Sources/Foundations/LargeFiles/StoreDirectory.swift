import Glibc

/// Directories of a store, and what is in them.
enum StoreDirectory {
  static func synchronize(_ directory: String) throws(LargeFileError) {
    let number = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard number >= 0 else { throw .cannot(operation: "open", path: directory, code: errno) }
    defer { close(number) }
    guard fsync(number) == 0 else {
      throw .cannot(operation: "sync", path: directory, code: errno)
    }
  }

  /// None where there is no such directory.
  static func names(in directory: String) throws(LargeFileError) -> [String] {
    guard let stream = unsafe opendir(directory) else {
      if errno == ENOENT || errno == ENOTDIR { return [] }
      throw .cannot(operation: "list", path: directory, code: errno)
    }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { field in
        unsafe field.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names
  }

  /// With the files in it; ends in a slash.
  static func remove(_ directory: String) throws(LargeFileError) {
    for name in try names(in: directory) { try removeFile(directory + name) }
    guard unsafe rmdir(directory) == 0 || errno == ENOENT else {
      throw .cannot(operation: "remove", path: directory, code: errno)
    }
  }

  static func removeFile(_ path: String) throws(LargeFileError) {
    guard unsafe unlink(path) == 0 || errno == ENOENT else {
      throw .cannot(operation: "remove", path: path, code: errno)
    }
  }

  static func parent(of path: String) -> String {
    let trimmed = path.hasSuffix("/") ? path.dropLast() : path[...]
    return String(trimmed[..<(trimmed.lastIndex(of: "/") ?? trimmed.startIndex)])
  }
}
