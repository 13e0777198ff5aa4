import Glibc

/// Our own claim on a checkout: one process at a time. The kernel gives it up when the process
/// ends, however it ends.
package struct CheckoutLock: ~Copyable {
  package static let fileName = "distro.lock"
  private let descriptor: Int32

  /// - Throws: `heldByAnother` at once, without waiting.
  package init(gitDirectory: String) throws(GitError) {
    let path = gitDirectory + (gitDirectory.hasSuffix("/") ? "" : "/") + Self.fileName
    descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw SystemFile.failure("open", path) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let isHeld = errno == EWOULDBLOCK
      let failure = SystemFile.failure("flock", path)
      close(descriptor)
      throw isHeld ? .heldByAnother(path: path) : failure
    }
  }

  // The file stays: removing it would let two processes hold locks on two files of one name. Unlocked by itself, since
  // a child that was just forked has the descriptor too, until it executes its program (flock(2)).
  deinit {
    flock(descriptor, LOCK_UN)
    close(descriptor)
  }
}
