import Glibc

/// A directory that others write to as well, held by its descriptor. Names are single components, and no link below the
/// opened path is ever followed. Belongs to one thread; closed when released, so that nothing keeps a stick from being unmounted.
package final class Folder {
  package let path: String
  private let descriptor: Int32
  private let gate: FolderStep.Gate

  private init(_ descriptor: Int32, _ path: String, _ gate: @escaping FolderStep.Gate) {
    (self.descriptor, self.path, self.gate) = (descriptor, path, gate)
  }

  deinit { close(descriptor) }

  /// `path` is the operator's word, and may lead through links.
  package static func open(
    _ path: String, gate: @escaping FolderStep.Gate = { _ in }
  ) throws(FolderError) -> Folder {
    let descriptor = unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .cannot(operation: "open", path: path, code: errno) }
    return Folder(descriptor, path, gate)
  }

  func withDescriptor<Value>(_ body: (Int32) -> Value) -> Value { body(descriptor) }

  private func path(of name: String) -> String { path + "/" + name }

  private func failure(_ operation: String, _ name: String, _ code: Int32 = errno) -> FolderError {
    [ELOOP, ENXIO].contains(code)
      ? .unexpectedKind(path: path(of: name))
      : .cannot(operation: operation, path: path(of: name), code: code)
  }

  private static func require(_ name: String) {
    precondition(!name.isEmpty && name != "." && name != ".." && !name.utf8.contains(0x2f))
  }

  // MARK: - Folders

  /// `nil`: nothing has that name.
  package func folder(_ name: String) throws(FolderError) -> Folder? {
    Self.require(name)
    let child = unsafe openat(descriptor, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard child >= 0 else {
      switch errno {
      case ENOENT: return nil
      case ENOTDIR: throw .unexpectedKind(path: path(of: name))
      default: throw failure("open", name)
      }
    }
    return Folder(child, path(of: name), gate)
  }

  /// Makes it where it is missing, with the rights of this one; its name is on the disk when it returns.
  package func makeFolder(_ name: String) throws(FolderError) -> Folder {
    if let folder = try folder(name) { return folder }
    try gate(.makeFolder)
    let mode = try status(of: descriptor).st_mode & 0o7777
    guard unsafe mkdirat(descriptor, name, mode) == 0 || errno == EEXIST else {
      throw failure("make the directory", name)
    }
    guard let folder = try folder(name) else {
      throw .cannot(operation: "open", path: path(of: name), code: ENOENT)
    }
    // What the umask took away; a file system without rights refuses, and has none to give.
    _ = fchmod(folder.descriptor, mode)
    try sync()
    return folder
  }

  /// The names that were given and taken are on the disk. A file system that cannot sync a directory says EINVAL.
  package func sync() throws(FolderError) {
    try gate(.syncFolder)
    guard fsync(descriptor) == 0 || errno == EINVAL else {
      throw .cannot(operation: "sync", path: path, code: errno)
    }
  }

  /// Whether this user may change what is in it (faccessat(2)).
  package var isWritable: Bool { unsafe faccessat(descriptor, ".", W_OK | X_OK, AT_EACCESS) == 0 }

  // MARK: - Files

  /// A new file; a name that is taken is an error.
  package func create(_ name: String) throws(FolderError) -> FolderFile {
    Self.require(name)
    try gate(.create)
    let mode = try status(of: descriptor).st_mode & 0o666
    let file = unsafe openat(
      descriptor, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
    guard file >= 0 else { throw failure("create", name) }
    _ = fchmod(file, mode)
    return FolderFile(file, path(of: name), size: 0, gate)
  }

  /// `nil`: nothing has that name. Anything but a plain file is an error, and nothing waits for it.
  package func file(_ name: String) throws(FolderError) -> FolderFile? {
    Self.require(name)
    let file = unsafe openat(descriptor, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard file >= 0 else {
      if errno == ENOENT { return nil }
      throw failure("open", name)
    }
    let status: stat
    do { status = try self.status(of: file) } catch {
      close(file)
      throw error
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      close(file)
      throw .unexpectedKind(path: path(of: name))
    }
    return FolderFile(file, path(of: name), size: UInt64(clamping: status.st_size), gate)
  }

  /// All of a short file; `nil`: nothing has that name.
  package func content(of name: String, byteCountMax: Int) throws(FolderError) -> [UInt8]? {
    guard let file = try file(name) else { return nil }
    let bytes = try file.read(at: 0, countMax: byteCountMax + 1)
    guard bytes.count <= byteCountMax else {
      throw .tooLong(path: path(of: name), limit: byteCountMax)
    }
    return bytes
  }

  /// What was there under the new name is replaced.
  package func rename(_ name: String, to newName: String) throws(FolderError) {
    Self.require(newName)
    try gate(.rename)
    guard unsafe renameat(descriptor, name, descriptor, newName) == 0 else {
      throw failure("rename", name)
    }
  }

  /// A name that is not there is no error: the step may be a repeated one.
  package func remove(_ name: String) throws(FolderError) {
    Self.require(name)
    try gate(.remove)
    guard unsafe unlinkat(descriptor, name, 0) == 0 || errno == ENOENT else {
      throw failure("remove", name)
    }
  }

  // MARK: - Looking

  package func status() throws(FolderError) -> FileStatus {
    FileStatus(try status(of: descriptor))
  }

  /// `nil`: nothing has that name.
  package func status(of name: String) throws(FolderError) -> FileStatus? {
    Self.require(name)
    var status = stat()
    guard unsafe fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
      if errno == ENOENT { return nil }
      throw failure("look at", name)
    }
    return FileStatus(status)
  }

  /// The first `countMax` names that are wanted, of the first `scanMax` that are there, in no order.
  package func names(
    scanMax: Int, countMax: Int, where isWanted: (String) -> Bool
  ) throws(FolderError) -> [String] {
    let copy = unsafe openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard copy >= 0 else { throw .cannot(operation: "list", path: path, code: errno) }
    guard let stream = unsafe fdopendir(copy) else {
      let code = errno
      close(copy)
      throw .cannot(operation: "list", path: path, code: code)
    }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    for _ in 0..<scanMax where names.count < countMax {
      errno = 0
      guard let entry = unsafe readdir(stream) else {
        guard errno == 0 else { throw .cannot(operation: "list", path: path, code: errno) }
        break
      }
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != "." && name != ".." && isWanted(name) { names.append(name) }
    }
    return names
  }

  private func status(of descriptor: Int32) throws(FolderError) -> stat {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      throw .cannot(operation: "look at", path: path, code: errno)
    }
    return status
  }
}
