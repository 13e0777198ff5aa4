/// What a tree entry that is no directory can be, with git's octal mode as the raw value.
///
/// Source: git-fast-import(1), "filemodify"; the historical 100664 is no mode that git writes, and is refused.
package enum FileMode: UInt32, Sendable, Hashable, CaseIterable {
  case regular = 0o100644
  case executable = 0o100755
  case symbolicLink = 0o120000
  /// A commit of another repository ("gitlink"); the tree holds its id, no object of ours.
  case submodule = 0o160000

  /// Six octal digits, as a patch writes them.
  package var octal: String { String(rawValue, radix: 8) }

  /// The inverse of `octal`; `nil` for anything else.
  package init?(octal digits: some Collection<UInt8>) {
    guard let mode = Self.allCases.first(where: { $0.octal.utf8.elementsEqual(digits) }) else {
      return nil
    }
    self = mode
  }
}

/// One side of a changed path: what is there, and under which id.
package struct TreeEntry: Hashable, Sendable {
  package let mode: FileMode
  package let id: ObjectID

  package init(mode: FileMode, id: ObjectID) {
    self.mode = mode
    self.id = id
  }
}

/// A path that two trees differ in; at least one side is there, and the sides differ.
package struct TreeChange: Hashable, Sendable {
  package let path: TreePath
  /// `nil`: the path is added.
  package let old: TreeEntry?
  /// `nil`: the path is deleted.
  package let new: TreeEntry?

  package init(path: TreePath, old: TreeEntry?, new: TreeEntry?) {
    precondition(old != new, "a change changes something")
    self.init(path, old, new)
  }

  private init(_ path: TreePath, _ old: TreeEntry?, _ new: TreeEntry?) {
    (self.path, self.old, self.new) = (path, old, new)
  }

  /// A file that is to be written although the tree has what it had: in another form, which is git's too.
  package static func rewriting(_ path: TreePath, _ entry: TreeEntry) -> TreeChange {
    TreeChange(path, entry, entry)
  }

  package var isRewriting: Bool { old == new }

  package var reversed: TreeChange { TreeChange(path, new, old) }
}
