import Glibc

/// The few system calls that this module makes itself, with their errors.
enum SystemFile {
  static func failure(_ call: String, _ path: String) -> GitError {
    .system(call: call, path: path, code: errno)
  }

  /// The whole of a small file; `nil` when it is not there.
  static func read(_ path: String) throws(GitError) -> [UInt8]? {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw failure("open", path)
    }
    defer { close(descriptor) }
    return try readToEnd(of: descriptor, path)
  }

  static func readToEnd(of descriptor: Int32, _ path: String) throws(GitError) -> [UInt8] {
    var bytes: [UInt8] = []
    while true {
      var count = 0
      let piece = unsafe [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, initialized in
        count = unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
        initialized = max(count, 0)
      }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw failure("read", path) }
      if count == 0 { return bytes }
      bytes += piece
    }
  }

  /// Makes a file under a name that must be free, and flushes it to the disk.
  static func create(
    _ path: String, _ bytes: [UInt8], isSynced: Bool = true
  ) throws(GitError) {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      if errno == EEXIST { throw .locked(path: path) }
      throw failure("create", path)
    }
    defer { close(descriptor) }
    do throws(GitError) {
      try write(bytes, to: descriptor, path)
      guard !isSynced || fsync(descriptor) == 0 else { throw failure("fsync", path) }
    } catch {
      try remove(path)
      throw error
    }
  }

  static func write(
    _ bytes: [UInt8], to descriptor: Int32, _ path: String
  ) throws(GitError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes {
        unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
      }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw failure("write", path) }
      rest = rest.dropFirst(count)
    }
  }

  static func rename(_ path: String, to target: String) throws(GitError) {
    guard unsafe Glibc.rename(path, target) == 0 else { throw failure("rename", path) }
  }

  static func parent(of path: String) -> String {
    String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
  }

  /// The directories that lead to a file, those that were made given back.
  @discardableResult
  static func makeDirectories(above path: String) throws(GitError) -> [String] {
    let parent = parent(of: path)
    if unsafe mkdir(parent, 0o777) == 0 { return [parent] }
    switch errno {
    case EEXIST: return []
    case ENOENT:
      let made = try makeDirectories(above: parent)
      guard unsafe mkdir(parent, 0o777) == 0 || errno == EEXIST else {
        throw failure("mkdir", parent)
      }
      return made + [parent]
    default: throw failure("mkdir", parent)
    }
  }

  /// A directory that holds nothing but directories; anything else in it is an error.
  static func removeEmptyTree(_ directory: String) throws(GitError) {
    for name in try names(in: directory) { try removeEmptyTree(directory + "/" + name) }
    guard unsafe rmdir(directory) == 0 || errno == ENOENT else {
      throw failure("rmdir", directory)
    }
  }

  /// Flushes a file or a directory to the disk.
  static func synchronize(_ path: String) throws(GitError) {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("open", path) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw failure("fsync", path) }
  }

  static func byteCount(_ path: String) throws(GitError) -> UInt64 {
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else { throw failure("lstat", path) }
    return UInt64(status.st_size)
  }

  /// Removes a file that may be gone already.
  static func remove(_ path: String) throws(GitError) {
    guard unsafe unlink(path) == 0 || errno == ENOENT else { throw failure("unlink", path) }
  }

  /// The names in a directory, without `.` and `..`; none when it is not there.
  static func names(in directory: String) throws(GitError) -> [String] {
    guard let stream = unsafe opendir(directory) else {
      if errno == ENOENT { return [] }
      throw failure("opendir", directory)
    }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = unsafe readdir(stream) else {
        guard errno == 0 else { throw failure("readdir", directory) }
        return names
      }
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { field in
        unsafe field.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
  }

  /// A directory and what is in it; one that is gone already is fine.
  static func removeTree(_ directory: String) throws(GitError) {
    for name in try names(in: directory) {
      let path = directory + "/" + name
      guard unsafe unlink(path) != 0 else { continue }
      if errno == EISDIR || errno == EPERM {
        try removeTree(path)
      } else if errno != ENOENT {
        throw failure("unlink", path)
      }
    }
    guard unsafe rmdir(directory) == 0 || errno == ENOENT else {
      throw failure("rmdir", directory)
    }
  }
}
