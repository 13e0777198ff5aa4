import CGit2
package import GitModel
import Glibc

/// HEAD and one branch, both locked as git locks them: what is read here holds until this is let go.
///
/// git's programs give up after 100 ms by default (core.filesRefLockTimeout), so it is taken last and
/// for a moment only.
package final class BranchLock {
  /// What HEAD and the branch are at.
  package struct State: Equatable {
    /// `nil`: HEAD is detached.
    package let head: String?
    /// `nil`: the branch has no commit.
    package let branch: ObjectID?
  }

  private let repository: Repository
  private let name: String
  private let locks: [GitLock]

  /// - Throws: `locked`.
  package init(
    _ name: String, of repository: Repository, _ lock: borrowing CheckoutLock,
    patience: Duration
  ) throws(GitError) {
    guard Repository.isValidName(name) else { throw .referenceNameInvalid(name) }
    self.repository = repository
    self.name = name
    // The check for a name in the way comes first: a directory of that name would fail the lock
    // without saying why.
    if !repository.isDamaged(name), try repository.referenceTarget(name) == nil {
      try repository.checkFree(name)
    }
    let head = try lock.take(repository.gitDirectory + "HEAD", patience: patience)
    locks = [head, try lock.take(repository.commonDirectory + name, patience: patience)]
  }

  /// - Throws: `referenceDamaged`.
  package var state: State {
    get throws(GitError) {
      let target = try repository.directTarget(name)
      guard target.isDirect else {
        throw .referenceMoved(name: name, expected: nil, actual: target.id)
      }
      return State(head: try repository.headSymbolicTarget(), branch: target.id)
    }
  }

  /// Moves the branch; durable when it returns. `old` is for the reflog, which gets `message` where the
  /// repository keeps one.
  package func move(
    from old: ObjectID?, to new: ObjectID, message: String
  ) throws(GitError) {
    guard repository.objects.contains(new) else { throw .objectMissing(new) }
    let permissions = try repository.sharedPermissions
    let (path, temporary) = (
      repository.commonDirectory + name, repository.gitDirectory + "distro-branch"
    )
    try SystemFile.remove(temporary)
    try SystemFile.create(temporary, Array((new.hex + "\n").utf8))
    try permissions.adjust(temporary)
    let log = try ReferenceLog(repository, permissions)
    let line = try log.line(from: old, to: new, message)
    try log.append(line, to: repository.commonDirectory, name)
    if try repository.headSymbolicTarget() == name {
      try log.append(line, to: repository.gitDirectory, "HEAD")
    }
    if unsafe rename(temporary, path) != 0 {
      // Branches that had been below this name leave empty directories.
      guard errno == EISDIR || errno == ENOTEMPTY else { throw SystemFile.failure("rename", path) }
      try SystemFile.removeEmptyTree(path)
      try SystemFile.rename(temporary, to: path)
    }
    try SystemFile.synchronize(SystemFile.parent(of: path))
  }
}

/// Where git writes down how references moved.
private struct ReferenceLog {
  private let repository: Repository
  private let permissions: SharedPermissions
  private let isKept: Bool

  init(_ repository: Repository, _ permissions: SharedPermissions) throws(GitError) {
    self.repository = repository
    self.permissions = permissions
    let configured = try repository.configured("core.logallrefupdates")?.lowercased()
    isKept = !["false", "no", "off", "0"].contains(configured ?? (repository.isBare ? "no" : "yes"))
  }

  func line(
    from old: ObjectID?, to new: ObjectID, _ message: String
  ) throws(GitError) -> String {
    var signature: UnsafeMutablePointer<git_signature>?
    let code = unsafe git_signature_default(&signature, repository.handle)
    if code != GIT_ENOTFOUND.rawValue { try Libgit2.check(code, "read user.name") }
    defer { unsafe git_signature_free(signature) }
    let person =
      if let signature = unsafe signature?.pointee, let name = unsafe signature.name,
        let email = unsafe signature.email
      {
        unsafe "\(String(cString: name)) <\(String(cString: email))>"
      } else {
        "distro <distro@localhost>"
      }
    let before = old?.hex ?? String(repeating: "0", count: 40)
    return "\(before) \(new.hex) \(person) \(time(nil)) +0000\t\(message)\n"
  }

  func append(_ line: String, to directory: String, _ name: String) throws(GitError) {
    let path = directory + "logs/" + name
    let flags = O_WRONLY | O_APPEND | O_CLOEXEC | (isKept ? O_CREAT : 0)
    var descriptor = unsafe open(path, flags, 0o666)
    if descriptor < 0, errno == ENOENT {
      guard isKept else { return }
      for made in try SystemFile.makeDirectories(above: path) { try permissions.adjust(made) }
      descriptor = unsafe open(path, flags, 0o666)
    }
    if descriptor < 0, errno == EISDIR {
      try SystemFile.removeEmptyTree(path)
      descriptor = unsafe open(path, flags, 0o666)
    }
    guard descriptor >= 0 else { throw SystemFile.failure("open", path) }
    defer { close(descriptor) }
    try permissions.adjust(path)
    try SystemFile.write(Array(line.utf8), to: descriptor, path)
    guard fsync(descriptor) == 0 else { throw SystemFile.failure("fsync", path) }
  }
}
