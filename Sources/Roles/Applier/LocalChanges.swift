import Foundation
import Git
import GitModel
import MessageFormat
import WorkingTree

/// Whether anything that someone did to the checkout by hand is in the way of a change.
///
/// Only the paths that the change touches are looked at; what else is changed there stays, as with git.
struct LocalChanges {
  /// A file whose last change is younger may be written again without a sign of it in its times.
  private static let settledSeconds: Int64 = 2

  let checkout: Checkout
  /// Paths of earlier changes in the same batch, which are not on the disk yet.
  let pending: [TreePath: TreeChange]
  private let entryLook: EntryLook
  private let submodules: SubmoduleIndexes?

  /// `contents`: what is to be written in the place of pointers. `submodules`: those that the changes lie in.
  init(
    checkout: Checkout, pending: [TreePath: TreeChange],
    contents: [TreePath: LargeFilePointer] = [:], submodules: SubmoduleIndexes? = nil
  ) throws(GitError) {
    self.checkout = checkout
    self.pending = pending
    self.submodules = submodules
    entryLook = try EntryLook(checkout.repository.objects, contents: contents)
  }

  /// What was seen at each path that an earlier change of the batch has not been at.
  ///
  /// Throws `Refused`.
  func require(noneAt changes: [TreeChange]) throws -> [TreePath: ExpectedContent] {
    let removed = Set(changes.lazy.filter { $0.new == nil }.map(\.path))
    var expected: [TreePath: ExpectedContent] = [:]
    for change in changes where pending[change.path] == nil {
      switch try look(at: change, removed: removed) {
      case .expected(let expectation): expected[change.path] = expectation
      case .changed(let what):
        throw Refused(
          .localChanges,
          "\(change.path) \(what); undo that or move it away, or set 'on-local-changes: overwrite'"
        )
      }
    }
    return expected
  }

  private enum Seen {
    /// The path is as the last revision has it.
    case expected(ExpectedContent)
    case changed(String)
  }

  private func look(at change: TreeChange, removed: Set<TreePath>) throws -> Seen {
    if let what = stagedChange(at: change) { return .changed(what) }
    let old = change.old
    switch try checkout.files.find(change.path) {
    case .nothing:
      return old == nil || old?.mode == .submodule ? .expected(.nothing) : .changed("was deleted")
    case .file, .symbolicLink:
      if let old {
        return try matching(old, at: change.path).map { .expected($0) } ?? .changed("was changed")
      }
      let same = try change.new.flatMap { try matching($0, at: change.path) }
      return same.map { .expected($0) } ?? .changed("is there, but not under version control")
    case .directory(let isEmpty):
      if old?.mode == .submodule || old == nil {
        return try directory(at: change, isEmpty, removed).map { .changed($0) }
          ?? .expected(.nothing)
      }
      return .changed("was replaced by a directory")
    case .other:
      return .changed("is neither a file nor a directory")
    case .blockedByParent(let parent):
      let goes = removed.contains(parent) || pending[parent].map { $0.new == nil } ?? false
      return old == nil && goes
        ? .expected(.nothing) : .changed("cannot be reached: \(parent) is no directory")
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

  func stagedChange(at change: TreeChange) -> String? {
    switch submodules?.entry(at: change.path) ?? checkout.index.entry(at: change.path) {
    case .unmerged: "is in the middle of a merge"
    case .nothing: change.old == nil ? nil : "was removed from the index"
    case .entry(let entry): entry == change.old || entry == change.new ? nil : "has a staged change"
    }
  }

  /// What is to be there still when it is replaced; `nil`: it is something else.
  private func matching(_ entry: TreeEntry, at path: TreePath) throws -> ExpectedContent? {
    switch try checkout.files.find(path) {
    case .file:
      var reader = try checkout.files.open(path)
      let status = reader.status
      guard try entryLook.holds(entry, &reader) else { return nil }
      return .unchanged(status, isSettled: Self.isSettled(status))
    case .symbolicLink(let status):
      let target = try checkout.files.linkTarget(of: path)
      guard try entry.mode == .symbolicLink && ObjectDatabase.hash(.blob, target) == entry.id
      else { return nil }
      return .unchanged(status, isSettled: true)
    case .nothing, .directory, .other, .blockedByParent:
      return nil
    }
  }

  private static func isSettled(_ status: FileStatus) -> Bool {
    let newest = max(status.modified.seconds, status.changed.seconds)
    return newest + settledSeconds < Int64(Date().timeIntervalSince1970)
  }
}
