import Git
import GitModel
import MessageFormat
import WorkingTree

/// Whether anything that someone did to the checkout by hand is in the way of a change.
///
/// Only the paths that the change touches are looked at; what else is changed there stays, as with git.
struct LocalChanges {
  private static let bufferByteCount = 65_536

  let checkout: Checkout
  /// Paths of earlier changes in the same batch, which are not on the disk yet.
  let pending: [TreePath: TreeChange]

  func require(noneAt changes: [TreeChange]) throws {
    let removed = Set(changes.lazy.filter { $0.new == nil }.map(\.path))
    for change in changes where pending[change.path] == nil {
      if let what = try localChange(at: change, removed: removed) {
        throw Refused(
          .localChanges,
          "\(change.path) \(what); undo that or move it away, or set 'on-local-changes: overwrite'"
        )
      }
    }
  }

  /// Whether every path is as one of the two revisions has it, or gone: what a killed run leaves.
  func isHalfway(_ changes: [TreeChange]) throws -> Bool {
    try changes.allSatisfy { change in
      switch try checkout.files.find(change.path) {
      case .nothing, .directory, .blockedByParent: return true
      case .other: return false
      case .file, .symbolicLink:
        return try [change.old, change.new].contains { entry in
          try entry.map { try matches($0, at: change.path) } ?? false
        }
      }
    }
  }

  /// `nil`: the path is as the last revision has it.
  private func localChange(at change: TreeChange, removed: Set<TreePath>) throws -> String? {
    if let what = try stagedChange(at: change) { return what }
    let old = change.old
    switch try checkout.files.find(change.path) {
    case .nothing:
      return old == nil || old?.mode == .submodule ? nil : "was deleted"
    case .file, .symbolicLink:
      if let old { return try matches(old, at: change.path) ? nil : "was changed" }
      let isTheSame = try change.new.map { try matches($0, at: change.path) } ?? false
      return isTheSame ? nil : "is there, but not under version control"
    case .directory(let isEmpty):
      if old?.mode == .submodule || old == nil {
        return try directory(at: change, isEmpty, removed)
      }
      return "was replaced by a directory"
    case .other:
      return "is neither a file nor a directory"
    case .blockedByParent(let parent):
      let goes = removed.contains(parent) || pending[parent].map { $0.new == nil } ?? false
      return old == nil && goes ? nil : "cannot be reached: \(parent) is no directory"
    }
  }

  private func directory(
    at change: TreeChange, _ isEmpty: Bool, _ removed: Set<TreePath>
  ) throws -> String? {
    if isEmpty || change.new?.mode == .submodule { return nil }
    if change.old?.mode == .submodule { return "is a submodule with files in it" }
    // A directory that becomes a file: what it holds must go with the same change.
    let gone = removed.union(pending.values.lazy.filter { $0.new == nil }.map(\.path))
    guard let left = try checkout.files.content(below: change.path, except: gone) else {
      return nil
    }
    return "is a directory that holds \(left), which is not under version control"
  }

  private func stagedChange(at change: TreeChange) throws -> String? {
    switch checkout.index.entry(at: change.path) {
    case .unmerged: "is in the middle of a merge"
    case .nothing: change.old == nil ? nil : "was removed from the index"
    case .entry(let entry): entry == change.old || entry == change.new ? nil : "has a staged change"
    }
  }

  private func matches(_ entry: TreeEntry, at path: TreePath) throws -> Bool {
    switch try checkout.files.find(path) {
    case .file(let status):
      guard status.fileMode == entry.mode else { return false }
      return try hash(ofFileAt: path) == entry.id
    case .symbolicLink:
      let target = try checkout.files.linkTarget(of: path)
      return try entry.mode == .symbolicLink && ObjectDatabase.hash(.blob, target) == entry.id
    case .nothing, .directory, .other, .blockedByParent:
      return false
    }
  }

  /// In pieces, so that a large file is never in memory; `nil` when it changed meanwhile.
  private func hash(ofFileAt path: TreePath) throws -> ObjectID? {
    var reader = try checkout.files.open(path)
    var hasher = ObjectHasher(.blob, byteCount: Int(reader.status.size))
    var buffer = [UInt8](repeating: 0, count: Self.bufferByteCount)
    while true {
      let count = try reader.read(into: &buffer)
      if count == 0 { return hasher.finish() }
      hasher.update(buffer.span.extracting(0..<count))
    }
  }
}
