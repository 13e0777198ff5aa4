import Git
import GitModel
import WorkingTree

/// A step whose files a killed run has left somewhere between its two revisions, found by what it wrote in the
/// staging directory; the journal may know nothing of it any more.
struct InterruptedStep {
  let note: StepNote?
  let branch: String
  let repository: Repository
  let staging: Staging

  /// Brings the files to the revision after if the branch has moved, and otherwise back; under git's lock on the
  /// index. True: it has.
  func resolve(in files: borrowing WorkingTree) throws -> Bool {
    let changes = changes()
    guard try isMoved() else {
      let look = ContentLook(changes)
      try files.putBack(from: staging) { path, reader throws(WorkingTreeError) in
        try look.isOld(path, &reader)
      }
      return false
    }
    for pack in try KeptPack.leftovers(in: repository) { try pack.release() }
    try finishIndex(changes)
    let submodules = changes.filter { $0.new?.mode == .submodule }.map(\.path)
    try files.settle(from: staging, keeping: submodules)
    return true
  }

  private func finishIndex(_ changes: [TreeChange]) throws {
    let index = try IndexUpdater(gitDirectory: repository.gitDirectory)
    do throws(GitError) {
      try index.refresh()
    } catch {
      // Made anew when the checkout is opened.
      if case .indexUnreadable = error { return }
      throw error
    }
    // Someone may have edited a file since: its status must not vouch for it.
    try index.prepare(
      removals: changes.filter { $0.new == nil }.map(\.path),
      upserts: changes.compactMap { change in
        change.new.map { IndexUpsert(path: change.path, entry: $0, status: nil) }
      })
    try index.publish(repository.sharedPermissions)
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
