import Glibc

extension Repository {
  /// Of loose objects, until they have their names; git's own begin with `tmp_obj_`.
  private static let unfinishedObjectPrefix = "tmp_object_git2_"

  /// Removes what a killed process left behind: git's locks on the index, HEAD, the shallow file
  /// and one branch, objects that libgit2 had begun to write, and our quarantined packs. Only for the
  /// holder of the checkout's lock; a lock of git's that is younger than `age` stays, since git may be
  /// at work. Answers what was removed.
  @discardableResult
  package func removeLeftovers(
    branch: String, olderThan age: Duration, _: borrowing CheckoutLock
  ) throws(GitError) -> [String] {
    guard Self.isValidName(branch) else { throw .referenceNameInvalid(branch) }
    let objectsDirectory = commonDirectory + "objects/"
    let names = try SystemFile.names(in: objectsDirectory)
    let quarantines = names.filter { $0.hasPrefix(QuarantinedPack.directoryPrefix) }
    let unfinished = names.filter { $0.hasPrefix(Self.unfinishedObjectPrefix) }
    var removed: [String] = []
    for path in lockCandidates(branch: branch) {
      // git takes this one to deepen or cut a history, which nobody does here but us.
      let limit = path.hasSuffix("/shallow.lock") ? min(age, .seconds(10)) : age
      guard try Self.isOlder(path, limit) else { continue }
      try SystemFile.remove(path)
      removed.append(path)
    }
    for path in unfinished.map({ objectsDirectory + $0 }) {
      guard try Self.isOlder(path, min(age, .seconds(2))) else { continue }
      try SystemFile.remove(path)
      removed.append(path)
    }
    for path in quarantines.map({ objectsDirectory + $0 }) {
      try SystemFile.removeTree(path)
      removed.append(path)
    }
    return removed
  }

  private static func isOlder(_ path: String, _ age: Duration) throws(GitError) -> Bool {
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else {
      if errno == ENOENT { return false }
      throw SystemFile.failure("lstat", path)
    }
    var now = timespec()
    guard unsafe clock_gettime(CLOCK_REALTIME, &now) == 0 else {
      throw SystemFile.failure("clock_gettime", path)
    }
    return Duration.seconds(now.tv_sec - status.st_mtim.tv_sec) > age
  }
}
