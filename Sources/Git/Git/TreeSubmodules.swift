package import GitModel

extension ObjectDatabase {
  /// The changes between two trees that have a submodule on one side at least, in the order of their paths; `nil` is the
  /// tree without a file. Only for trees that were counted before: `difference` keeps a walk from being endless.
  ///
  /// - Throws: `unsafePath` for a submodule that must not be written to a disk, `treeTooDeep`.
  package func submoduleChanges(
    from old: ObjectID?, to new: ObjectID?
  ) throws(GitError) -> [TreeChange] {
    var walk = TreeWalk(self, .counted, SubmoduleCollector())
    try walk.run(from: old, to: new)
    return walk.visitor.changes
  }
}

private struct SubmoduleCollector: TreeWalkVisitor {
  var changes: [TreeChange] = []

  func directory(_: [UInt8], old: ObjectID?, new: ObjectID?) -> Bool { true }

  mutating func entry(_ path: [UInt8], old: TreeEntry?, new: TreeEntry?) throws(GitError) {
    guard old?.mode == .submodule || new?.mode == .submodule else { return }
    do throws(UnsafePath) {
      changes.append(TreeChange(path: try TreePath(path), old: old, new: new))
    } catch {
      throw .unsafePath(error)
    }
  }
}
