internal import CLinux
internal import Glibc

/// A staged file that is being filled; dropped unfinished, its file stays until the directory is
/// swept.
package struct StagedFileWriter: ~Copyable {
  let number: Int
  let directory: String
  let descriptor: Descriptor

  /// All of the bytes, or an error.
  package mutating func append(_ bytes: Span<UInt8>) throws(WorkingTreeError) {
    var written = 0
    while written < bytes.count {
      let rest = bytes.extracting(written..<bytes.count)
      let count = unsafe rest.withUnsafeBytes {
        unsafe write(descriptor.number, $0.baseAddress, $0.count)
      }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw .cannot(operation: "write", path: directory, code: errno) }
      written += count
    }
  }

  /// The file is as if it had been written some seconds ago: before an index is written that knows its times.
  package func backdate() throws(WorkingTreeError) {
    var now = timespec()
    unsafe clock_gettime(CLOCK_REALTIME_COARSE, &now)
    let time = timespec(tv_sec: now.tv_sec - Self.backdatingSeconds, tv_nsec: now.tv_nsec)
    guard unsafe futimens(descriptor.number, [time, time]) == 0 else {
      throw .cannot(operation: "set the time of a file", path: directory, code: errno)
    }
  }

  private static let backdatingSeconds = 2

  /// The same.
  package mutating func append(_ bytes: [UInt8]) throws(WorkingTreeError) {
    try append(bytes.span)
  }
}

extension Staging {
  /// A new file under `name` that has what open(2) in `parent` would give it.
  ///
  /// Made there without a name, then linked to ours: the file system itself hands down the group, the
  /// default ACL and the security label, and an unfinished file has no name. `nil`: `parent` is on
  /// another file system.
  func makeFile(
    _ name: EntryName, _ permissions: mode_t, like parent: borrowing Descriptor
  ) throws(WorkingTreeError) -> Descriptor? {
    let flags = DISTRO_O_TMPFILE | O_DIRECTORY | O_WRONLY | O_CLOEXEC
    let number = repeatWhileInterrupted {
      unsafe openat(parent.number, ".", flags, permissions)
    }
    guard number >= 0 else {
      switch errno {
      case EOPNOTSUPP, EISDIR, ENOENT, EINVAL:
        return try makeFileHere(name, permissions, like: parent)
      default: throw .cannot(operation: "create", path: directory, code: errno)
      }
    }
    let descriptor = Descriptor(owning: number)
    let target = root.number
    let result = unsafe name.withCString {
      unsafe linkat(AT_FDCWD, "/proc/self/fd/\(number)", target, $0, AT_SYMLINK_FOLLOW)
    }
    if result == 0 { return descriptor }
    switch errno {
    case EXDEV: return nil
    // No /proc, or a file system that cannot.
    case ENOENT, EOPNOTSUPP, EPERM, EINVAL:
      return try makeFileHere(name, permissions, like: parent)
    default: throw .cannot(operation: "create", path: directory, code: errno)
    }
  }

  /// The same by hand.
  private func makeFileHere(
    _ name: EntryName, _ permissions: mode_t, like parent: borrowing Descriptor
  ) throws(WorkingTreeError) -> Descriptor {
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
    let target = root.number
    let number = repeatWhileInterrupted {
      unsafe name.withCString { unsafe openat(target, $0, flags, permissions) }
    }
    guard number >= 0 else { throw .cannot(operation: "create", path: directory, code: errno) }
    let descriptor = Descriptor(owning: number)
    let status = try parent.status(describing: directory)
    if status.mode & S_ISGID != 0 {
      guard fchown(number, uid_t.max, status.group) == 0 else {
        throw .cannot(
          operation: "give a file to group \(status.group)", path: directory, code: errno)
      }
    }
    if let list = try DefaultACL(of: parent) { try list.give(to: descriptor, permissions) }
    return descriptor
  }
}
