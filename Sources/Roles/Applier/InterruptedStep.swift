import Git
import GitModel
import Patching
import WorkingTree

/// A step whose files a killed run has left somewhere between its two revisions, found by what it wrote in the
/// staging directory; the journal may know nothing of it any more.
struct InterruptedStep {
  let note: StepNote?
  let branch: String
  /// Of the checkout.
  let path: String
  let repository: Repository
  let staging: Staging

  /// Brings the files to the revision after if the branch has moved, and otherwise back; under git's lock on the
  /// index. True: it has.
  func resolve(
    in files: borrowing WorkingTree, lock: @escaping (String) throws -> GitLock
  ) throws -> Bool {
    let changes = changes()
    let submodules = submodules(of: changes)
    guard try isMoved() else {
      let look = ContentLook(
        submodules?.fileChanges(beside: changes) ?? changes, try EntryLook(repository.objects))
      try files.putBack(from: staging) { path, reader throws(WorkingTreeError) in
        try look.isOld(path, &reader)
      }
      try refreshIndex(changes, in: files)
      return false
    }
    for pack in try KeptPack.leftovers(in: repository) { try pack.release() }
    try finishIndex(changes, in: files)
    if let submodules {
      let settling = SubmoduleSettling(
        places: places, objects: submodules.objects,
        permissions: try repository.sharedPermissions, lock: lock, status: { _ in nil })
      try settling.settle(submodules.steps, in: files)
    }
    let kept = changes.filter { $0.new?.mode == .submodule }.map(\.path)
    try files.settle(from: staging, keeping: kept)
    return true
  }

  private var places: SubmodulePlaces {
    SubmodulePlaces(checkout: path, gitDirectory: repository.commonDirectory)
  }

  /// `nil`: the step had none, or they cannot be read, which the branch's own objects tell as well.
  private func submodules(of changes: [TreeChange]) -> SubmoduleChanges? {
    guard let note, note.hasSubmodules else { return nil }
    do {
      let before = try note.before.map { try repository.objects.commit($0).tree }
      let links = changes.filter { $0.old?.mode == .submodule || $0.new?.mode == .submodule }
      return try SubmoduleExpansion.expand(
        links.map { .init(path: $0.path, old: $0.old, new: $0.new) }, from: before,
        to: try repository.objects.commit(note.after).tree,
        in: ObjectOverlay(over: repository.objects), of: repository, at: places, incoming: nil,
        limits: .counted, for: .recovery
      ) { _ in .none }
    } catch {
      return nil
    }
  }

  private func finishIndex(_ changes: [TreeChange], in files: borrowing WorkingTree) throws {
    guard let index = try readableIndex() else { return }
    // Someone may have edited a file since: its status must not vouch for it, unless its content does.
    let contents = try LargeFileStatuses(repository)
      .statuses(
        of: changes.compactMap { change in change.new.map { (change.path, $0) } }, in: files)
    try index.prepare(
      removals: changes.filter { $0.new == nil }.map(\.path),
      upserts: changes.compactMap { change in
        let status = contents[change.path]
        return change.new.map {
          IndexUpsert(path: change.path, entry: $0, status: status, isLargeFile: status != nil)
        }
      })
    try index.publish(repository.sharedPermissions)
  }

  /// What went out and came back has another change time.
  private func refreshIndex(_ changes: [TreeChange], in files: borrowing WorkingTree) throws {
    guard let index = try readableIndex() else { return }
    try LargeFileStatuses(repository).refresh(index, changes, in: files)
  }

  /// `nil`: it is made anew when the checkout is opened.
  private func readableIndex() throws -> IndexUpdater? {
    let index = try IndexUpdater(gitDirectory: repository.gitDirectory)
    do throws(GitError) {
      try index.refresh()
      return index
    } catch {
      if case .indexUnreadable = error { return nil }
      throw error
    }
  }

  private func isMoved() throws -> Bool {
    guard let note else { return false }
    do throws(GitError) {
      return try repository.referenceTarget(branch) == note.after
    } catch {
      if case .referenceDamaged = error { return false }
      throw error
    }
  }

  /// None where a revision cannot be read: then nothing can be told to be the last one's, and all of it is kept.
  private func changes() -> [TreeChange] {
    guard let note else { return [] }
    let objects = repository.objects
    do throws(GitError) {
      let before = try note.before.map { id throws(GitError) in try objects.commit(id).tree }
      return try objects.changes(
        from: before, to: try objects.commit(note.after).tree, limits: .counted)
    } catch {
      return []
    }
  }
}
