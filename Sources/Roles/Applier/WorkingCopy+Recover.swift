import Git
import GitModel
import LargeFiles
import Mailboxes
import MessageFormat
import Patching
import WorkingTree

// From what the journal and the repository know, whatever run began the step.
extension WorkingCopy {
  func recover(_ entry: Journal.Entry) throws -> RecoveredStep {
    let head = checkout.head?.revision
    if head == entry.after {
      try checkout.releaseLeftoverPacks()
      return .activated
    }
    do {
      if head == entry.before, try redo(entry) {
        try checkout.releaseLeftoverPacks()
        return .activated
      }
    } catch {
      // Made again from the inbox, by the checks that refuse it by name or wait.
      guard error is Refused || error is StepFault || error is GitError else { throw error }
    }
    try checkout.discardLeftoverPacks()
    return .takenBack
  }

  /// False: what the step needs is not there any more.
  private func redo(_ entry: Journal.Entry) throws -> Bool {
    guard checkout.repository.objects.contains(entry.after) else { return false }
    let message = entry.messages.last?.message
    try run(
      try step(
        from: entry.before, to: entry.after, shipsLargeFiles: entry.shipsLargeFiles,
        shipsSubmodules: entry.shipsSubmodules,
        isWhole: message?.payload?.kind == .replacement))
    return true
  }

  func rollBack(_ entry: Journal.Entry) throws -> RollBack {
    guard let before = entry.before else { return .impossible("it is the first revision here") }
    let head = checkout.head?.revision
    if head == before { return .done }
    guard head == entry.after else { return .impossible("the branch was moved by hand") }
    do {
      var step = try step(
        from: entry.after, to: before, shipsLargeFiles: true,
        shipsSubmodules: entry.shipsSubmodules, isWhole: false)
      step.isRollBack = true
      try run(step)
      return .done
    } catch let refused as Refused {
      return .impossible(refused.detail)
    }
  }

  /// All files of a revision in a directory that has none, and the index that goes with them; on the disk when this returns.
  func fill(with revision: ObjectID) throws {
    let step = try step(
      from: nil, to: revision, shipsLargeFiles: true, shipsSubmodules: false, isWhole: false)
    try exchange(step)
    try checkout.index.publish(try checkout.repository.sharedPermissions)
    try checkout.files.settle(
      from: checkout.staging, keeping: step.staged.submodules.map(\.path))
  }

  /// Between two revisions that are both in the repository; staged.
  private func step(
    from before: ObjectID?, to after: ObjectID, shipsLargeFiles: Bool, shipsSubmodules: Bool,
    isWhole: Bool
  ) throws -> WorkingCopyStep {
    let objects = checkout.repository.objects
    let tree = try objects.commit(after).tree
    var changes = try objects.changes(
      from: try before.map { try objects.commit($0).tree }, to: tree, limits: .counted)
    var contents: [TreePath: LargeFilePointer] = [:]
    if shipsLargeFiles {
      contents = try checkout.storedLargeFiles(at: changes, ofCommit: after)
      if isWhole {
        let unwritten = try checkout.unwrittenLargeFiles(
          of: tree, in: ObjectOverlay(over: objects), except: changes,
          where: checkout.largeFiles.contains)
        for (change, pointer) in unwritten {
          changes.append(change)
          contents[change.path] = pointer
        }
      }
    }
    var submodules: SubmoduleChanges?
    if shipsSubmodules {
      submodules = try checkout.submoduleChanges(
        at: changes, to: tree, in: ObjectOverlay(over: objects), isWhole: isWhole, incoming: nil)
    }
    var expected: [TreePath: ExpectedContent] = [:]
    if checkout.settings.onLocalChanges == .refuse {
      expected = try checkout.requireNoLocalChange(changes, contents, submodules)
    }
    var step = WorkingCopyStep(
      before: before, after: after, changes: changes, expected: expected, packs: [],
      patches: nil, contents: contents, submodules: submodules)
    let inner = submodules?.objects
    try stage(&step) { id throws(GitError) in
      if let inner, inner.contains(id) { return try inner.read(id, .blob) }
      return try objects.read(id, .blob)
    }
    return step
  }
}
