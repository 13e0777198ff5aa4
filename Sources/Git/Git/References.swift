import CGit2
package import GitModel

// Branches and HEAD.
extension Repository {
  /// Where a reference points, through symbolic ones; `nil` when it is not there.
  package func referenceTarget(_ name: String) throws(GitError) -> ObjectID? {
    guard Self.isValidName(name) else { throw .referenceNameInvalid(name) }
    var raw = git_oid()
    let code = unsafe git_reference_name_to_id(&raw, handle, name)
    if code == GIT_ENOTFOUND.rawValue { return nil }
    try Libgit2.check(code, "read reference \(name)")
    return ObjectID(raw)
  }

  /// The full name of the branch that HEAD is on; `nil` when HEAD is detached.
  package func headSymbolicTarget() throws(GitError) -> String? {
    var reference: OpaquePointer?
    try unsafe Libgit2.check(git_reference_lookup(&reference, handle, "HEAD"), "read HEAD")
    defer { unsafe git_reference_free(reference) }
    guard let target = unsafe git_reference_symbolic_target(reference) else { return nil }
    return unsafe String(cString: target)
  }

  /// `nil` when HEAD is on a branch without a commit.
  package func headCommit() throws(GitError) -> ObjectID? { try referenceTarget("HEAD") }

  /// Puts HEAD on a branch, which need not be there yet.
  package func setHead(symbolic name: String) throws(GitError) {
    guard Self.isValidName(name) else { throw .referenceNameInvalid(name) }
    let code = unsafe git_repository_set_head(handle, name)
    if code == GIT_ELOCKED.rawValue { throw .locked(path: gitDirectory + "HEAD.lock") }
    try Libgit2.check(code, "set HEAD")
  }

  /// Moves a reference, only if it is at `old` while git's own lock on it is held; `nil`: it must
  /// not be there.
  ///
  /// Durable when it returns. The reflog gets `message` where the repository keeps one.
  /// - Throws: `referenceMoved`, also for a symbolic reference; `referenceBlocked`; `locked`.
  package func compareAndSwap(
    _ name: String, from old: ObjectID?, to new: ObjectID, message: String
  ) throws(GitError) {
    guard Self.isValidName(name) else { throw .referenceNameInvalid(name) }
    guard objects.contains(new) else { throw .objectMissing(new) }
    var transaction: OpaquePointer?
    try unsafe Libgit2.check(git_transaction_new(&transaction, handle), "move \(name)")
    defer { unsafe git_transaction_free(transaction) }
    // The check for a name in the way comes first: a directory of that name would fail the lock
    // without saying why.
    if old == nil { try checkFree(name) }
    let code = unsafe git_transaction_lock_ref(transaction, name)
    if code == GIT_ELOCKED.rawValue { throw .locked(path: commonDirectory + name + ".lock") }
    try Libgit2.check(code, "lock \(name)")
    let actual = try directTarget(name)
    guard actual.isDirect, actual.id == old else {
      throw .referenceMoved(name: name, expected: old, actual: actual.id)
    }
    if old == new { return }
    var raw = new.raw
    try unsafe Libgit2.check(
      git_transaction_set_target(transaction, name, &raw, nil, message), "move \(name)")
    try unsafe Libgit2.check(git_transaction_commit(transaction), "move \(name)")
  }

  static func isValidName(_ name: String) -> Bool {
    var isValid: Int32 = 0
    return unsafe git_reference_name_is_valid(&isValid, name) == 0 && isValid == 1
  }

  private func directTarget(_ name: String) throws(GitError) -> (isDirect: Bool, id: ObjectID?) {
    var reference: OpaquePointer?
    let code = unsafe git_reference_lookup(&reference, handle, name)
    if code == GIT_ENOTFOUND.rawValue { return (true, nil) }
    try Libgit2.check(code, "read reference \(name)")
    defer { unsafe git_reference_free(reference) }
    guard let target = unsafe git_reference_target(reference) else { return (false, nil) }
    return (true, unsafe ObjectID(target.pointee))
  }

  /// Refuses a name that is a directory of another one's, or the other way round; packed references
  /// are no directories, so the file system would not.
  private func checkFree(_ name: String) throws(GitError) {
    for (index, character) in zip(name.indices, name) where character == "/" {
      let parent = String(name[..<index])
      guard parent.contains("/"), Self.isValidName(parent) else { continue }
      if try directTarget(parent) != (true, nil) { throw .referenceBlocked(name: name, by: parent) }
    }
    var iterator: OpaquePointer?
    try unsafe Libgit2.check(
      git_reference_iterator_glob_new(&iterator, handle, name + "/*"), "list \(name)/")
    defer { unsafe git_reference_iterator_free(iterator) }
    var child: UnsafePointer<CChar>?
    guard unsafe git_reference_next_name(&child, iterator) == 0, let child = unsafe child else {
      return
    }
    throw .referenceBlocked(name: name, by: unsafe String(cString: child))
  }
}
