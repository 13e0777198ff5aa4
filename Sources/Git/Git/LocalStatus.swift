import CGit2
package import GitModel
import Glibc

// What someone left in a working copy; nothing is written.
extension Repository {
  /// Paths of tracked files that are not as HEAD has them, in the index or in the working copy, in their order. Reads files
  /// whose time or size has changed.
  ///
  /// `entry`: what the index has, where the file alone differs from it.
  package func changedPaths() throws(GitError) -> [(path: String, entry: TreeEntry?)] {
    // Not git_status, which parses HEAD's commit more strictly than git does.
    let head = try headCommit().map { id throws(GitError) in try objects.commit(id).tree }
    var tree: OpaquePointer?
    defer { unsafe git_tree_free(tree) }
    if let head, head != ObjectDatabase.emptyTree {
      var raw = head.raw
      try unsafe Libgit2.check(git_tree_lookup(&tree, handle, &raw), "status of \(path)")
    }
    var changed: [String: TreeEntry?] = [:]
    var difference: OpaquePointer?
    try unsafe Libgit2.check(
      git_diff_tree_to_index(&difference, handle, tree, nil, nil), "status of \(path)")
    unsafe Self.forEachDelta(of: difference) { path, _ in changed[path] = .some(nil) }
    var options = unsafe git_diff_options()
    try unsafe Libgit2.check(
      git_diff_options_init(&options, UInt32(GIT_DIFF_OPTIONS_VERSION)), "status of \(path)")
    // Submodules are their own repositories' business.
    unsafe options.ignore_submodules = GIT_SUBMODULE_IGNORE_ALL
    try unsafe Libgit2.check(
      git_diff_index_to_workdir(&difference, handle, nil, &options), "status of \(path)")
    unsafe Self.forEachDelta(of: difference) { path, delta in
      guard changed[path] == nil else { return }
      let file = unsafe delta.old_file
      let mode = unsafe FileMode(rawValue: UInt32(file.mode))
      changed[path] = .some(mode.map { unsafe TreeEntry(mode: $0, id: ObjectID(file.id)) })
    }
    return changed.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// Takes over the difference.
  private static func forEachDelta(
    of difference: OpaquePointer?, _ body: (_ path: String, _ delta: git_diff_delta) -> Void
  ) {
    defer { unsafe git_diff_free(difference) }
    for index in 0..<(unsafe git_diff_num_deltas(difference)) {
      guard let delta = unsafe git_diff_get_delta(difference, index),
        unsafe delta.pointee.status != GIT_DELTA_UNMODIFIED,
        let name = unsafe delta.pointee.old_file.path
      else { continue }
      unsafe body(String(cString: name), delta.pointee)
    }
  }

  /// The first tracked paths, as text for people; for which of them `isIncluded`.
  package func trackedPaths(
    countMax: Int, where isIncluded: (String) -> Bool
  ) throws(GitError) -> [String] {
    var index: OpaquePointer?
    try unsafe Libgit2.check(git_repository_index(&index, handle), "read the index of \(path)")
    defer { unsafe git_index_free(index) }
    var paths: [String] = []
    for position in 0..<(unsafe git_index_entrycount(index)) where paths.count < countMax {
      guard let name = unsafe git_index_get_byindex(index, position)?.pointee.path else { continue }
      let path = unsafe String(cString: name)
      if isIncluded(path) { paths.append(path) }
    }
    return paths
  }

  /// How many packs there are, and about how many objects that lie loose: from one of their 256 directories, as git-gc(1)
  /// estimates it.
  package func storageCounts() throws(GitError) -> (packs: Int, looseObjects: Int) {
    let objects = commonDirectory + "objects/"
    let packs = try SystemFile.names(in: objects + "pack").count { $0.hasSuffix(".pack") }
    return (packs, 256 * (try SystemFile.names(in: objects + "17").count))
  }

  /// git's locks that stand in the way of a step on `branch`, with their age in seconds.
  package func locks(branch: String) throws(GitError) -> [(path: String, ageSeconds: Int)] {
    guard Self.isValidName(branch) else { throw .referenceNameInvalid(branch) }
    var locks: [(path: String, ageSeconds: Int)] = []
    for path in lockCandidates(branch: branch) {
      var status = stat()
      guard unsafe lstat(path, &status) == 0 else {
        if errno == ENOENT { continue }
        throw SystemFile.failure("lstat", path)
      }
      locks.append((path, max(0, Int(time(nil)) - status.st_mtim.tv_sec)))
    }
    return locks
  }

  /// Where git puts its locks on the index, HEAD, the shallow file and one branch.
  func lockCandidates(branch: String) -> [String] {
    [
      gitDirectory + "index.lock", gitDirectory + "HEAD.lock", commonDirectory + "shallow.lock",
      commonDirectory + branch + ".lock",
    ]
  }
}
