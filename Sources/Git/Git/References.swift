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
    if code < 0, isDamaged(name) { throw .referenceDamaged(name: name) }
    try Libgit2.check(code, "read reference \(name)")
    return ObjectID(raw)
  }

  /// Where all branches point, by full name; those that point to nothing are left out.
  package func branches() throws(GitError) -> [String: ObjectID] {
    var iterator: OpaquePointer?
    try unsafe Libgit2.check(
      git_reference_iterator_glob_new(&iterator, handle, "refs/heads/*"), "list branches")
    defer { unsafe git_reference_iterator_free(iterator) }
    var targets: [String: ObjectID] = [:]
    var next: UnsafePointer<CChar>?
    while unsafe git_reference_next_name(&next, iterator) == 0, let name = unsafe next {
      let name = unsafe String(cString: name)
      do throws(GitError) {
        targets[name] = try referenceTarget(name)
      } catch .referenceDamaged {
        continue
      } catch .referenceNameInvalid {
        continue
      } catch {
        throw error
      }
    }
    return targets
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

  /// Whether the file of a branch holds neither an object's name nor another branch's: emptied, or full of
  /// zeros after a power cut.
  package func isDamaged(_ name: String) -> Bool {
    let bytes: [UInt8]?
    do throws(GitError) {
      bytes = try SystemFile.read((name == "HEAD" ? gitDirectory : commonDirectory) + name)
    } catch {
      return false
    }
    guard let bytes else { return false }
    let text = String(decoding: bytes, as: UTF8.self)
    if text.hasPrefix("ref: ") { return false }
    let line = text.prefix { $0 != "\n" && $0 != " " && $0 != "\r" && $0 != "\t" && $0 != "\r\n" }
    return ObjectID(hex: String(line)) == nil
  }

  static func isValidName(_ name: String) -> Bool {
    var isValid: Int32 = 0
    return unsafe git_reference_name_is_valid(&isValid, name) == 0 && isValid == 1
  }

  /// - Throws: `referenceDamaged`.
  func directTarget(_ name: String) throws(GitError) -> (isDirect: Bool, id: ObjectID?) {
    var reference: OpaquePointer?
    let code = unsafe git_reference_lookup(&reference, handle, name)
    if code == GIT_ENOTFOUND.rawValue { return (true, nil) }
    if code < 0, isDamaged(name) { throw .referenceDamaged(name: name) }
    try Libgit2.check(code, "read reference \(name)")
    defer { unsafe git_reference_free(reference) }
    guard let target = unsafe git_reference_target(reference) else { return (false, nil) }
    return (true, unsafe ObjectID(target.pointee))
  }

  /// Refuses a name that is a directory of another one's, or the other way round; packed references
  /// are no directories, so the file system would not.
  func checkFree(_ name: String) throws(GitError) {
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
