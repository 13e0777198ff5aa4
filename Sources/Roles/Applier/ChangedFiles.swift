package import Git
import GitModel
import WorkingTree

/// What someone changed in a checkout by hand, for people; nothing is written.
package enum ChangedFiles {
  /// The first `countMax` paths, and how many there are in all. A large file that holds the content of its pointer is
  /// unchanged.
  package static func find(
    in repository: Repository, countMax: Int
  ) throws -> (paths: [String], count: Int) {
    let changed = try repository.changedPaths()
    guard let directory = repository.workingDirectory else { return ([], 0) }
    let files = try WorkingTree(opening: String(directory.dropLast()))
    let look = try EntryLook(repository.objects)
    var paths: [String] = []
    for (path, entry) in changed {
      guard try !holds(entry, at: path, in: files, look) else { continue }
      paths.append(path)
    }
    return (Array(paths.prefix(countMax)), paths.count)
  }

  private static func holds(
    _ entry: TreeEntry?, at path: String, in files: borrowing WorkingTree, _ look: EntryLook
  ) throws -> Bool {
    guard let entry else { return false }
    do {
      let path = try TreePath(path)
      guard case .file = try files.find(path) else { return false }
      var reader = try files.open(path)
      return try look.holds(entry, &reader)
    } catch is UnsafePath {
      return false
    }
  }
}
