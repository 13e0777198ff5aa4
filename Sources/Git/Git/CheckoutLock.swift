import Glibc

/// Our own claim on a checkout: one process at a time. The kernel gives it up when the process
/// ends, however it ends.
///
/// Locks of git's that we take are further names of the same file. So the holder of the claim can tell
/// which locks a killed run of ours has left, and those of git's own programs are never touched.
package struct CheckoutLock: ~Copyable {
  package static let fileName = "distro.lock"
  private let descriptor: Int32
  private let path: String
  private let inode: UInt64
  private let device: UInt64

  /// - Throws: `heldByAnother` at once, without waiting.
  package init(gitDirectory: String) throws(GitError) {
    path = gitDirectory + (gitDirectory.hasSuffix("/") ? "" : "/") + Self.fileName
    descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw SystemFile.failure("open", path) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let isHeld = errno == EWOULDBLOCK
      let failure = SystemFile.failure("flock", path)
      close(descriptor)
      throw isHeld ? .heldByAnother(path: path) : failure
    }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      let failure = SystemFile.failure("fstat", path)
      close(descriptor)
      throw failure
    }
    (inode, device) = (UInt64(status.st_ino), UInt64(status.st_dev))
  }

  // The file stays: removing it would let two processes hold locks on two files of one name. Unlocked by itself, since
  // a child that was just forked has the descriptor too, until it executes its program (flock(2)).
  deinit {
    flock(descriptor, LOCK_UN)
    close(descriptor)
  }

  /// Takes git's lock on a file, as git does: no other program can make `target`.lock while it is there.
  ///
  /// One that a killed run of ours has left is taken over. Waits for `patience`, since git's own programs
  /// hold theirs for a moment.
  /// - Throws: `locked`.
  package func take(_ target: String, patience: Duration) throws(GitError) -> GitLock {
    let name = target + ".lock"
    let end = ContinuousClock.now + patience
    while true {
      if unsafe link(path, name) == 0 { break }
      switch errno {
      case EEXIST:
        if try isOurs(name) { break }
        guard ContinuousClock.now < end else { throw .locked(path: name) }
        usleep(2_000)
        continue
      case ENOENT:
        try SystemFile.makeDirectories(above: name)
        continue
      default: throw SystemFile.failure("link", name)
      }
      break
    }
    return GitLock(path: name, inode: inode, device: device)
  }

  /// Whether a lock of git's was taken by us, in this run or in one that was killed.
  package func isOurs(_ lockPath: String) throws(GitError) -> Bool {
    try GitLock.isName(lockPath, ofInode: inode, device: device)
  }
}

/// A lock of git's that we hold; given back with its last owner. A killed process leaves it, and the next
/// one that claims the checkout knows it.
package final class GitLock {
  package let path: String
  private let inode: UInt64
  private let device: UInt64

  fileprivate init(path: String, inode: UInt64, device: UInt64) {
    self.path = path
    self.inode = inode
    self.device = device
  }

  deinit {
    do throws(GitError) {
      // Someone may have removed it, and another program may hold the lock by now.
      if try Self.isName(path, ofInode: inode, device: device) { try SystemFile.remove(path) }
    } catch {
      // A deinitializer cannot report it; `removeLeftovers` finds it.
      return
    }
  }

  fileprivate static func isName(
    _ path: String, ofInode inode: UInt64, device: UInt64
  ) throws(GitError) -> Bool {
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else {
      if errno == ENOENT { return false }
      throw SystemFile.failure("lstat", path)
    }
    return UInt64(status.st_ino) == inode && UInt64(status.st_dev) == device
  }
}
