internal import GitModel
internal import Glibc

extension WorkingTree {
  /// Makes the change, and returns when it is on the disk.
  ///
  /// Before the first change, everything is checked that can be; until then an error leaves the
  /// tree untouched, and all but `cannot` are thrown only until then. A run that was killed is
  /// completed by staging and committing the same change again: whatever the moment, each path
  /// then was as before, gone, or complete.
  ///
  /// In the way of a new file: another file, link, FIFO or the like is replaced; a directory only
  /// if it holds nothing but removals. In the way of a new directory: a removal or a link is
  /// replaced, a file is an error. Directories that removals leave empty go, as with git.
  package func commit(
    _ change: StagedChange, from staging: borrowing Staging
  ) throws(WorkingTreeError) {
    precondition(staging.isSynced, "a file is on the disk before it is moved into the tree")
    let plan = try Plan(change)
    try check(plan, from: staging)
    // What a run before this one has changed may not be on the disk either.
    let wasInterrupted = try staging.mark()
    var changed = ChangedDirectories(syncsAll: wasInterrupted)
    for path in plan.removals { try remove(EntryNames(path), &changed) }
    for write in change.writes { try move(write, from: staging, &changed) }
    for path in change.submodules { try makeSubmodule(EntryNames(path), &changed) }
    try removeEmptied(plan, &changed)
    try sync(changed)
    try staging.unmark()
  }

  private func remove(
    _ names: EntryNames, _ changed: inout ChangedDirectories
  ) throws(WorkingTreeError) {
    let walk = try walk(to: names)
    // Behind a link or a file there is nothing of ours.
    guard walk.stop == nil else { return }
    let code = walk.directory.unlink(names.last)
    switch code {
    case 0, ENOENT: changed.note(names.last.parentPath)
    // A submodule, or the directory that a run before this one has put there. Not empty: it stays.
    case EISDIR: try removeIfEmpty(names.last, in: walk.directory, &changed)
    default: throw .cannot("remove", names.last, code)
    }
  }

  private func move(
    _ write: StagedChange.Write, from staging: borrowing Staging,
    _ changed: inout ChangedDirectories
  ) throws(WorkingTreeError) {
    let names = EntryNames(write.path)
    let name = names.last
    let parent = try makeParent(of: names, &changed)
    var code = staging.move(write.file, to: parent, name)
    if code == EISDIR {
      try parent.removeEmptyTree(name)
      code = staging.move(write.file, to: parent, name)
    }
    guard code == 0 else { throw .cannot("replace", name, code) }
    changed.note(name.parentPath)
  }

  private func makeSubmodule(
    _ names: EntryNames, _ changed: inout ChangedDirectories
  ) throws(WorkingTreeError) {
    let parent = try makeParent(of: names, &changed)
    if case .blocked = try parent.directory(names.last) {
      let code = parent.unlink(names.last)
      guard code == 0 || code == ENOENT else { throw .cannot("remove", names.last, code) }
    }
    _ = try enterOrMake(names.last, in: parent, &changed)
  }

  private func makeParent(
    of names: EntryNames, _ changed: inout ChangedDirectories
  ) throws(WorkingTreeError) -> Descriptor {
    var current = try root.again(Descriptor.walkFlags, describing: directory)
    for index in 0..<names.count - 1 {
      current = try enterOrMake(names[index], in: current, &changed)
    }
    return current
  }

  private func enterOrMake(
    _ entry: EntryName, in parent: borrowing Descriptor, _ changed: inout ChangedDirectories
  ) throws(WorkingTreeError) -> Descriptor {
    switch try parent.directory(entry) {
    case .directory(let directory): return directory
    case .missing: break
    case .blocked:
      guard try parent.status(entry)?.isLink ?? true else {
        throw .cannot("open", entry, ENOTDIR)  // another program was faster than we
      }
      let code = parent.unlink(entry)
      guard code == 0 || code == ENOENT else { throw .cannot("remove", entry, code) }
    }
    let code = parent.makeDirectory(entry, permissions: 0o777)
    guard code == 0 || code == EEXIST else { throw .cannot("make the directory", entry, code) }
    changed.note(entry.parentPath)
    guard case .directory(let directory) = try parent.directory(entry) else {
      throw .cannot("open", entry, ENOTDIR)
    }
    return directory
  }

  private func removeEmptied(
    _ plan: Plan, _ changed: inout ChangedDirectories
  ) throws(WorkingTreeError) {
    let emptied = Plan.directories(above: plan.removals).subtracting(plan.submodules)
    // What is below another is longer, so it comes first.
    for path in emptied.sorted(by: { $0.count > $1.count }) {
      let names = EntryNames(path)
      let walk = try walk(to: names)
      guard walk.stop == nil else { continue }
      try removeIfEmpty(names.last, in: walk.directory, &changed)
    }
  }

  private func removeIfEmpty(
    _ entry: EntryName, in parent: borrowing Descriptor, _ changed: inout ChangedDirectories
  ) throws(WorkingTreeError) {
    // Like git, we leave what can't be removed: an empty directory is nothing that a tree could
    // show.
    if parent.removeDirectory(entry) == 0 { changed.note(entry.parentPath) }
  }
}
