internal import GitModel
internal import Glibc

extension WorkingTree {
  /// Throws what would stop `commit` on its way; changes nothing in the tree.
  ///
  /// Not found here, since only the attempt can tell: a directory for whose new entries the disk
  /// has no room left, a quota on entries, files that the system holds immutable, and what other
  /// programs do meanwhile.
  package func check(
    _ change: StagedChange, from staging: borrowing Staging
  ) throws(WorkingTreeError) {
    try check(Plan(change), from: staging)
  }

  func check(_ plan: Plan, from staging: borrowing Staging) throws(WorkingTreeError) {
    for path in plan.removals { try checkRemoval(of: EntryNames(path)) }
    for write in plan.change.writes {
      let names = EntryNames(write.path)
      let group = try checkTarget(names, plan, from: staging)
      guard let content = try contentInTheWay(of: names, plan) else {
        if let group { try staging.give(write.file, to: group) }
        continue
      }
      throw .directoryInTheWay(write.path, content: content)
    }
    for path in plan.change.submodules {
      _ = try checkTarget(EntryNames(path), plan, from: staging)
    }
  }

  private func checkRemoval(of names: EntryNames) throws(WorkingTreeError) {
    let walk = try walk(to: names)
    guard walk.stop == nil, try walk.directory.status(names.last) != nil else { return }
    try walk.directory.checkWritable(names[walk.depth])
  }

  /// Gives the group that a new file must be given, because its directory hands its own down.
  private func checkTarget(
    _ names: EntryNames, _ plan: Plan, from staging: borrowing Staging
  ) throws(WorkingTreeError) -> UInt32? {
    let walk = try walk(to: names)
    let next = names[walk.depth]
    try walk.directory.checkWritable(next)
    if walk.stop == .blocked, !plan.removed.contains(next.path) {
      let status = try walk.directory.status(next)
      guard status?.isLink ?? true else { throw .fileInTheWay(next.treePath) }
    }
    let parent = try walk.directory.status(describing: next.parentDescription(directory))
    guard parent.device == staging.device else {
      throw .otherFileSystem(directory: next.parentDescription(directory))
    }
    return parent.mode & S_ISGID != 0 && parent.group != staging.group ? parent.group : nil
  }

  /// The path of something that is to stay below the path that is to become a file.
  private func contentInTheWay(
    of names: EntryNames, _ plan: Plan
  ) throws(WorkingTreeError) -> [UInt8]? {
    let walk = try walk(to: names)
    guard walk.stop == nil, try walk.directory.status(names.last)?.isDirectory ?? false else {
      return nil
    }
    return try walk.directory.content(of: names.last, except: plan.removed)
  }
}

extension Descriptor {
  /// Whether entries of the directory can be replaced, and the directory synced afterwards.
  fileprivate func checkWritable(_ entry: EntryName) throws(WorkingTreeError) {
    guard unsafe faccessat(number, ".", R_OK | W_OK | X_OK, AT_EACCESS) == 0 else {
      throw .cannot("write to the directory of", entry, errno)
    }
  }
}

extension Staging {
  /// As a file that is made in a directory with the set-group-ID bit has its group (inode(7)).
  fileprivate func give(_ file: StagedFile, to group: UInt32) throws(WorkingTreeError) {
    let unchanged = uid_t.max
    let result = unsafe name(of: file).withCString {
      unsafe fchownat(root.number, $0, unchanged, group, AT_SYMLINK_NOFOLLOW)
    }
    guard result == 0 else {
      throw .cannot(operation: "give a file to group \(group)", path: directory, code: errno)
    }
  }
}

extension EntryName {
  func parentDescription(_ directory: String) -> String {
    parentPath.isEmpty ? directory : TreePath.quoted(parentPath)
  }
}
