internal import CLinux
internal import Glibc

/// A file descriptor, closed with its owner; the calls below are relative to it and never follow
/// a link.
struct Descriptor: ~Copyable {
  let number: Int32

  init(owning number: Int32) {
    self.number = number
  }

  deinit { close(number) }

  /// For walking: needs no permission to read the directory (open(2), O_PATH).
  static let walkFlags = __O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
  /// For listing and syncing it.
  static let readFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
}

/// What came of opening a directory.
enum OpenedDirectory: ~Copyable {
  case directory(Descriptor)
  case missing
  /// There is something else; a link to a directory counts as such.
  case blocked
}

extension Descriptor {
  /// The same directory again, with other rights.
  func again(
    _ flags: Int32, describing path: @autoclosure () -> String
  ) throws(WorkingTreeError) -> Descriptor {
    let number = repeatWhileInterrupted { unsafe openat(self.number, ".", flags) }
    guard number >= 0 else { throw .cannot(operation: "open", path: path(), code: errno) }
    return Descriptor(owning: number)
  }

  func directory(
    _ entry: EntryName, _ flags: Int32 = walkFlags
  ) throws(WorkingTreeError) -> OpenedDirectory {
    let number = repeatWhileInterrupted {
      unsafe entry.withCString { unsafe openat(self.number, $0, flags) }
    }
    if number >= 0 { return .directory(Descriptor(owning: number)) }
    switch errno {
    case ENOENT: return .missing
    case ENOTDIR, ELOOP: return .blocked
    default: throw .cannot("open", entry, errno)
    }
  }

  /// `nil`: there is nothing of this name.
  func status(_ entry: EntryName) throws(WorkingTreeError) -> FileStatus? {
    var status = stat()
    let result = unsafe entry.withCString {
      unsafe fstatat(number, $0, &status, AT_SYMLINK_NOFOLLOW)
    }
    if result == 0 { return FileStatus(status) }
    guard errno == ENOENT else { throw .cannot("examine", entry, errno) }
    return nil
  }

  /// Of what the descriptor itself stands for.
  func status(describing path: String) throws(WorkingTreeError) -> FileStatus {
    var status = stat()
    guard unsafe fstat(number, &status) == 0 else {
      throw .cannot(operation: "examine", path: path, code: errno)
    }
    return FileStatus(status)
  }

  /// Zero, or the error's code: what an error means is for the caller to say.
  func unlink(_ entry: EntryName) -> Int32 {
    code(unsafe entry.withCString { unsafe unlinkat(number, $0, 0) })
  }

  /// Zero, or the error's code.
  func removeDirectory(_ entry: EntryName) -> Int32 {
    code(unsafe entry.withCString { unsafe unlinkat(number, $0, AT_REMOVEDIR) })
  }

  /// Zero, or the error's code.
  func makeDirectory(_ entry: EntryName, permissions: mode_t) -> Int32 {
    code(unsafe entry.withCString { unsafe mkdirat(number, $0, permissions) })
  }

  enum RenameKind {
    case replace
    case noReplace
    case exchange
  }

  /// Zero, or the error's code.
  func rename(
    _ entry: EntryName, to directory: borrowing Descriptor, _ new: EntryName, _ kind: RenameKind
  ) -> Int32 {
    let target = directory.number
    let flags: Int32 =
      switch kind {
      case .replace: 0
      case .noReplace: RENAME_NOREPLACE
      case .exchange: RENAME_EXCHANGE
      }
    return code(
      unsafe entry.withCString { old in
        unsafe new.withCString { unsafe renameat2(number, old, target, $0, UInt32(flags)) }
      })
  }

  /// The rest of a small file.
  func readToEnd(describing path: String) throws(WorkingTreeError) -> [UInt8] {
    var content: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = unsafe read(number, &buffer, buffer.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw .cannot(operation: "read", path: path, code: errno) }
      if count == 0 { return content }
      content += buffer[..<count]
    }
  }

  /// Whether a program has the file open for writing; false where that cannot be told.
  ///
  /// A lease for reading is given only where no program writes (fcntl(2), "Leases"): to the file's owner, and
  /// not by every file system.
  var isOpenForWriting: Bool {
    // Its end would be told by SIGIO, which ends a program; this one is ignored.
    _ = fcntl(number, DISTRO_F_SETSIG, SIGURG)
    guard fcntl(number, DISTRO_F_SETLEASE, Int32(F_RDLCK)) != 0 else {
      _ = fcntl(number, DISTRO_F_SETLEASE, Int32(F_UNLCK))
      return false
    }
    return errno == EAGAIN
  }

  /// To the disk; the descriptor must not be one for walking.
  func sync(describing path: String) throws(WorkingTreeError) {
    guard repeatWhileInterrupted({ fsync(number) }) == 0 else {
      throw .cannot(operation: "sync", path: path, code: errno)
    }
  }

  /// Everything on this file system to the disk.
  func syncFileSystem(describing path: String) throws(WorkingTreeError) {
    guard repeatWhileInterrupted({ syncfs(number) }) == 0 else {
      throw .cannot(operation: "sync the file system", path: path, code: errno)
    }
  }

  private func code(_ result: Int32) -> Int32 { result == 0 ? 0 : errno }
}

/// syncfs(2): glibc has it, but its headers show it to GNU programs only, which Swift's module of
/// it is not.
@_silgen_name("syncfs")
private func syncfs(_ descriptor: Int32) -> Int32

/// Network file systems let a signal end what local ones do in one go (signal(7), EINTR).
func repeatWhileInterrupted(_ call: () -> Int32) -> Int32 {
  var result = call()
  while result < 0 && errno == EINTR { result = call() }
  return result
}
