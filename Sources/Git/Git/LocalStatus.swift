import CGit2
import Glibc

// What someone left in a working copy; nothing is written.
extension Repository {
  /// Paths of tracked files that are not as HEAD has them, in the index or in the working copy: the first `countMax`, and
  /// how many there are in all. Reads files whose time or size has changed.
  package func changedPaths(countMax: Int) throws(GitError) -> (paths: [String], count: Int) {
    var options = unsafe git_status_options()
    try unsafe Libgit2.check(
      git_status_options_init(&options, UInt32(GIT_STATUS_OPTIONS_VERSION)), "status of \(path)")
    unsafe options.show = GIT_STATUS_SHOW_INDEX_AND_WORKDIR
    // Neither untracked nor ignored files, and submodules are their own repositories' business.
    unsafe options.flags = GIT_STATUS_OPT_EXCLUDE_SUBMODULES.rawValue
    var list: OpaquePointer?
    try unsafe Libgit2.check(
      git_status_list_new(&list, handle, &options), "status of \(path)")
    defer { unsafe git_status_list_free(list) }
    let count = unsafe git_status_list_entrycount(list)
    let paths = (0..<min(count, countMax)).compactMap { index -> String? in
      guard let entry = unsafe git_status_byindex(list, index) else { return nil }
      let delta =
        unsafe entry.pointee.index_to_workdir ?? entry.pointee.head_to_index
      guard let name = unsafe delta?.pointee.old_file.path else { return nil }
      return unsafe String(cString: name)
    }
    return (paths, count)
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
