import Glibc

/// The right to change a directory's set-up: one process, or thread, at a time. The kernel takes it back when the process
/// ends, however it ends.
package struct DirectoryLock: ~Copyable {
  private let descriptor: Int32

  /// Waits until it is free, or throws `SpoolError.inUse`. The directory itself is locked: no file is made, none is
  /// left.
  package init(_ path: String, waits: Bool = true) throws(SpoolError) {
    descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .cannot(operation: "open", path: path, code: errno) }
    while flock(descriptor, waits ? LOCK_EX : LOCK_EX | LOCK_NB) != 0 {
      let code = errno
      if code == EINTR { continue }
      close(descriptor)
      if code == EWOULDBLOCK { throw .inUse(path: path) }
      throw .cannot(operation: "lock", path: path, code: code)
    }
  }

  // Unlocked by itself, since a child that was just forked has the descriptor too, until it executes its program
  // (flock(2)).
  deinit {
    flock(descriptor, LOCK_UN)
    close(descriptor)
  }
}
