package import GitModel

extension WorkingTree {
  /// The quoted path of something below the directory at `path` that is none of `exceptions`; `nil`: nothing is, at any
  /// depth, or there is no directory.
  package func content(
    below path: TreePath, except exceptions: Set<TreePath>
  ) throws(WorkingTreeError) -> String? {
    let names = EntryNames(path)
    let walk = try walk(to: names)
    guard walk.stop == nil else { return nil }
    return try walk.directory.content(of: names.last, except: Set(exceptions.map(\.bytes)))
      .map { TreePath.quoted($0) }
  }
}
