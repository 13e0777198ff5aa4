package import GitModel

/// Everything that one commit does to a working tree.
package struct StagedChange: Sendable {
  package struct Write: Sendable {
    package let path: TreePath
    package let file: StagedFile
    package let expected: ExpectedContent

    package init(path: TreePath, file: StagedFile, expected: ExpectedContent) {
      self.path = path
      self.file = file
      self.expected = expected
    }
  }

  /// A path, and what has to be there.
  package struct Place: Sendable {
    package let path: TreePath
    package let expected: ExpectedContent

    package init(path: TreePath, expected: ExpectedContent) {
      self.path = path
      self.expected = expected
    }
  }

  /// Paths that the new tree no longer has. A path that is written as well is only written.
  package var removals: [Place]
  package var writes: [Write]
  /// Paths of which the new tree says that another repository is there: they become directories.
  package var submodules: [Place]

  package init(removals: [Place] = [], writes: [Write] = [], submodules: [Place] = []) {
    self.removals = removals
    self.writes = writes
    self.submodules = submodules
  }
}

/// The sets behind a change, and what they must fulfil by themselves.
struct Plan {
  let change: StagedChange
  /// The removals that are not written as well.
  let removals: [StagedChange.Place]
  let removed: Set<[UInt8]>
  let submodules: Set<[UInt8]>

  init(_ change: StagedChange) throws(WorkingTreeError) {
    let targets = change.writes.map(\.path) + change.submodules.map(\.path)
    var paths: Set<[UInt8]> = []
    for target in targets where !paths.insert(target.bytes).inserted {
      throw .contradiction(target)
    }
    for directory in Self.directories(above: targets) where paths.contains(directory) {
      throw .contradiction(EntryNames(directory).last.treePath)
    }
    self.change = change
    removals = change.removals.filter { !paths.contains($0.path.bytes) }
    removed = Set(change.removals.map(\.path.bytes))
    submodules = Set(change.submodules.map(\.path.bytes))
  }

  /// The paths of all directories that these paths are in, but for the top directory.
  static func directories(above paths: [TreePath]) -> Set<[UInt8]> {
    var directories: Set<[UInt8]> = []
    for path in paths {
      // Once one is known, so are those above it.
      var end = path.bytes.endIndex
      while let slash = path.bytes[..<end].lastIndex(of: UInt8(ascii: "/")),
        directories.insert(Array(path.bytes[..<slash])).inserted
      {
        end = slash
      }
    }
    return directories
  }
}
