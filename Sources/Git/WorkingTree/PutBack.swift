package import GitModel
internal import Glibc

extension WorkingTree {
  /// Takes a step back, one of this run or one that was interrupted: every path has what it had.
  ///
  /// Where another program has put something else since, that stays. What the step had taken from
  /// there is let go if it is the last revision's, and otherwise kept in the staging directory, see
  /// `keptPaths`.
  package func putBack(from staging: Staging, _ look: Look) throws(WorkingTreeError) {
    guard let moves = staging.moves else { return }
    for write in moves.writes.reversed() { try putBack(write, staging, look) }
    // What is below another is longer, so it comes first.
    for path in moves.directories.sorted(by: { $0.count > $1.count }) {
      try removeIfEmpty(EntryNames(path))
    }
    for removal in moves.removals.reversed() {
      try give(
        Staging.slot(removal.number), to: EntryNames(removal.path), instead: nil, staging, look)
    }
    try root.again(Descriptor.readFlags, describing: directory)
      .syncFileSystem(describing: directory)
    try staging.end()
    try staging.removeAll()
  }

  /// From here on the step stays: removes what it had replaced, and the directories that are empty by
  /// now, but for those of submodules.
  package func settle(
    from staging: Staging, keeping submodules: [TreePath]
  ) throws(WorkingTreeError) {
    guard let moves = staging.moves else { return }
    try staging.end()
    try staging.removeAll()
    let kept = Set(submodules.map(\.bytes))
    let gone = moves.removals.map { EntryNames($0.path).last.treePath }
    let emptied = Plan.directories(above: gone).union(gone.map(\.bytes)).subtracting(kept)
    for path in emptied.sorted(by: { $0.count > $1.count }) {
      try removeIfEmpty(EntryNames(path))
    }
  }

  /// The file is out of the tree again, and what it had replaced is back.
  private func putBack(
    _ write: MoveList.Write, _ staging: Staging, _ look: Look
  ) throws(WorkingTreeError) {
    let (slot, names) = (Staging.slot(write.number), EntryNames(write.path))
    if let status = try staging.root.status(slot) {
      if write.isOurs(status) { return }
      return try give(slot, to: names, instead: write, staging, look)
    }
    // It went where nothing was.
    let walk = try walk(to: names)
    guard walk.stop == nil, let there = try walk.directory.status(names.last),
      write.isUntouched(there)
    else { return }
    let code = walk.directory.rename(names.last, to: staging.root, slot, .noReplace)
    if code == ENOENT { return }
    guard code == 0 else { throw .cannot("put back", names.last, code) }
    if try staging.hasUntouched(write) { return }
    let back = staging.root.rename(slot, to: walk.directory, names.last, .noReplace)
    guard back == 0 else { return try staging.keep(slot) }
  }

  /// Puts a slot's content where it was; `write` is what is there instead.
  private func give(
    _ slot: EntryName, to names: EntryNames, instead write: MoveList.Write?, _ staging: Staging,
    _ look: Look
  ) throws(WorkingTreeError) {
    guard try staging.root.status(slot) != nil else { return }
    guard let parent = try makeAgain(parentOf: names) else {
      return try staging.letGo(slot, names.last.treePath, look)
    }
    let code = staging.root.rename(slot, to: parent, names.last, .noReplace)
    if code == 0 { return }
    guard code == EEXIST else { throw .cannot("put back", names.last, code) }
    if let write, let there = try parent.status(names.last), write.isUntouched(there) {
      let code = staging.root.rename(slot, to: parent, names.last, .exchange)
      if code == ENOENT {
        return try give(slot, to: names, instead: nil, staging, look)
      }
      guard code == 0 else { throw .cannot("put back", names.last, code) }
      if try staging.hasUntouched(write) { return }
      // Someone was at it in this moment: it stays where it was.
      _ = staging.root.rename(slot, to: parent, names.last, .exchange)
    }
    try staging.letGo(slot, names.last.treePath, look)
  }

  /// The directory in which a path was; `nil`: something else is there by now.
  private func makeAgain(parentOf names: EntryNames) throws(WorkingTreeError) -> Descriptor? {
    var current = try root.again(Descriptor.walkFlags, describing: directory)
    for index in 0..<names.count - 1 {
      let code = current.makeDirectory(names[index], permissions: 0o777)
      guard code == 0 || code == EEXIST else {
        throw .cannot("make the directory", names[index], code)
      }
      guard case .directory(let next) = try current.directory(names[index]) else { return nil }
      current = next
    }
    return current
  }

  /// Like git, we leave what can't be removed: an empty directory is nothing that a tree could show.
  private func removeIfEmpty(_ names: EntryNames) throws(WorkingTreeError) {
    let walk = try walk(to: names)
    guard walk.stop == nil else { return }
    _ = walk.directory.removeDirectory(names.last)
  }
}

extension Staging {
  /// Whether our file is in its slot again, as it was staged, and no program has it open for writing.
  fileprivate func hasUntouched(_ write: MoveList.Write) throws(WorkingTreeError) -> Bool {
    let slot = Self.slot(write.number)
    guard let status = try root.status(slot), write.isUntouched(status) else { return false }
    guard status.isRegular else { return true }
    let reader = try open(slot, for: EntryNames(write.path).last.treePath)
    guard reader.descriptor.isAtRest else { return false }
    return try root.status(slot).map { write.isUntouched($0) } ?? false
  }

  /// Its place is taken.
  fileprivate func letGo(
    _ slot: EntryName, _ path: TreePath, _ look: WorkingTree.Look
  ) throws(WorkingTreeError) {
    guard let status = try root.status(slot) else { return }
    if status.isDirectory, try root.content(of: slot, except: []) == nil { return }
    if status.isRegular {
      var reader = try open(slot, for: path)
      if reader.descriptor.isAtRest, try look(path, &reader) { return }
    }
    try keep(slot)
  }
}
