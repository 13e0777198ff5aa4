package import GitModel

/// What a patch says about one path: printable as it is, and equal to itself when read back.
///
/// A type change, such as from a file to a symbolic link, is two sections: a deletion and an
/// addition.
package struct FileSection: Equatable, Sendable {
  package let path: TreePath
  /// `nil`: the path is added.
  package let old: TreeEntry?
  /// `nil`: the path is deleted.
  package let new: TreeEntry?
  package let content: Content

  package enum Content: Equatable, Sendable {
    /// Only the mode changes, or the file that is added or deleted is empty.
    case unchanged
    case text([Hunk])
    /// From the old content to the new one, and back.
    case binary(forward: BinaryPiece, reverse: BinaryPiece)
    /// Commits of another repository; the entries say all.
    case submodule
  }

  /// The id of a file without a byte, the only one whose content a patch does not show.
  package static let emptyFileID: ObjectID = {
    guard let id = ObjectID(hex: "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391") else {
      preconditionFailure("40 digits")
    }
    return id
  }()

  /// Throws `contradictory` for what no two trees can differ in, and for what has another canonical
  /// form.
  package init(
    path: TreePath, old: TreeEntry?, new: TreeEntry?, content: Content
  ) throws(PatchTextError) {
    self.path = path
    self.old = old
    self.new = new
    self.content = content
    if let flaw = entryFlaw ?? contentFlaw { throw .contradictory(path: path, flaw) }
  }

  private var entryFlaw: SectionFlaw? {
    if old == nil && new == nil { return .nothing }
    if old == new { return .sameSides }
    if old?.id.isZero == true || new?.id.isZero == true { return .zeroID }
    if let old, let new, old.mode.objectType != new.mode.objectType { return .typeChange }
    let isSubmodule = (old ?? new)?.mode == .submodule
    return isSubmodule == (content == .submodule) ? nil : .submodule
  }

  private var contentFlaw: SectionFlaw? {
    if content != .unchanged && old?.id == new?.id { return .sameContent }
    switch content {
    case .submodule:
      return nil
    case .unchanged:
      let ids = [old?.id ?? Self.emptyFileID, new?.id ?? Self.emptyFileID]
      return ids[0] == ids[1] ? nil : .unchangedContent
    case .text(let hunks):
      if let flaw = Hunk.flaw(in: hunks) { return flaw }
      let hasLines = (
        old: hunks.contains { $0.oldCount > 0 }, new: hunks.contains { $0.newCount > 0 }
      )
      return (old == nil && hasLines.old) || (new == nil && hasLines.new) ? .hunkSide : nil
    case .binary(let forward, let reverse):
      if forward.isEmpty || reverse.isEmpty { return .emptyPiece }
      if old == nil && !(forward.kind == .literal && reverse.isEmptyFile) { return .pieceSide }
      if new == nil && !(forward.isEmptyFile && reverse.kind == .literal) { return .pieceSide }
      return nil
    }
  }
}

extension TreeChange {
  /// The change as sections say it: itself, or for a type change a deletion and an addition.
  package var sections: [TreeChange] {
    guard let old, let new, old.mode.objectType != new.mode.objectType else { return [self] }
    return [
      TreeChange(path: path, old: old, new: nil), TreeChange(path: path, old: nil, new: new),
    ]
  }
}

/// What a mode may change into without a deletion and an addition: its own type.
enum ObjectType {
  case file
  case symbolicLink
  case submodule
}

extension FileMode {
  var objectType: ObjectType {
    switch self {
    case .regular, .executable: .file
    case .symbolicLink: .symbolicLink
    case .submodule: .submodule
    }
  }
}
