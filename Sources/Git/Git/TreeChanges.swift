package import GitModel

extension ObjectDatabase {
  /// The paths in which two trees differ, in the order of their bytes; `nil` is the tree without a
  /// file.
  ///
  /// A file that becomes a symbolic link or a submodule is one change; one that becomes a directory
  /// is a deletion, and an addition for each file below. Nothing is said of a mode's spelling:
  /// trees that differ only in it have no change.
  /// - Throws: `unsafePath` for a path that must not be written to a disk, `treeOverLimit` before
  ///   the first path is written down, `treeTooDeep`.
  package func changes(
    from old: ObjectID?, to new: ObjectID?, limits: TreeLimits = TreeLimits()
  ) throws(GitError) -> [TreeChange] {
    try countedChanges(from: old, to: new, limits: limits).changes
  }

  /// The same with what they come to.
  package func countedChanges(
    from old: ObjectID?, to new: ObjectID?, limits: TreeLimits
  ) throws(GitError) -> (changes: [TreeChange], difference: TreeDifference) {
    let difference = try difference(from: old, to: new, limits: limits)
    return (try changes(from: old, to: new, counted: difference), difference)
  }

  /// The same for trees whose difference was counted.
  package func changes(
    from old: ObjectID?, to new: ObjectID?, counted difference: TreeDifference
  ) throws(GitError) -> [TreeChange] {
    var walk = TreeWalk(self, .counted, ChangeCollector())
    try walk.run(from: old, to: new)
    return walk.visitor.changes
  }

  /// What a path names in a tree; `nil` where nothing is, or a directory.
  package func entry(
    at path: TreePath, inTree root: ObjectID
  ) throws(GitError) -> TreeEntry? {
    var directory = root
    var names = path.components[...]
    while let name = names.popFirst() {
      let tree = try tree(directory)
      guard let item = tree.item(named: name) else { return nil }
      if names.isEmpty { return tree.entry(of: item) }
      guard item.isDirectory else { return nil }
      directory = tree.id(of: item)
    }
    return nil
  }
}

private struct ChangeCollector: TreeWalkVisitor {
  var changes: [TreeChange] = []

  func directory(_: [UInt8], old: ObjectID?, new: ObjectID?) -> Bool { true }

  mutating func entry(_ path: [UInt8], old: TreeEntry?, new: TreeEntry?) throws(GitError) {
    do throws(UnsafePath) {
      changes.append(TreeChange(path: try TreePath(path), old: old, new: new))
    } catch {
      throw .unsafePath(error)
    }
  }
}
