import Diagnostics
import Git
import GitModel
import LargeFiles
import WorkingTree

// The order of a step's writes: docs/architecture.md, "The journal".
extension WorkingCopy {
  /// Whole, or taken back and thrown.
  func run(_ step: WorkingCopyStep) throws {
    let lock = try checkout.takeIndexLock()
    defer { _ = lock }
    try onPhase(.locked)
    try requireUnmoved(step)
    let submoduleLocks = try lockSubmodules(of: step)
    defer { _ = submoduleLocks }
    let permissions = try checkout.repository.sharedPermissions
    var kept: [KeptPack] = []
    do {
      // Where a checkout is mended, as files of their own they may be what cannot be read.
      let damaged = checkout.damage == nil ? [] : step.packs.flatMap(\.looseCopies)
      for pack in step.packs { kept.append(try pack.keep(permissions)) }
      try checkout.repository.removeLooseObjects(damaged)
      try onPhase(.kept)
      if let patches = step.patches {
        try checkout.recordShallowBoundary(patches)
        try journal.begin(
          checkout.settings.path, from: step.before, to: step.after, patches: patches)
      }
      try onPhase(.recorded)
      try exchange(step)
      try moveBranch(step, permissions)
    } catch {
      try takeBack(step, kept)
      throw try StepFault(orThrow: error)
    }
    // It stands. What fails from here on is done by the next start.
    try settleSubmodules(of: step)
    for pack in kept { try pack.release() }
    try onPhase(.released)
    try checkout.files.settle(
      from: checkout.staging, keeping: step.staged.submodules.map(\.path))
    try onPhase(.settled)
    if !step.isRollBack { try journal.mark(checkout.settings.path, .activated) }
  }

  /// The last look at HEAD, the branch and the index, under git's lock on the index.
  private func requireUnmoved(_ step: WorkingCopyStep) throws {
    if try checkout.index.refresh() {
      // The files are looked at when they are replaced; what was staged since would be lost.
      let look = try LocalChanges(checkout: checkout, pending: [:])
      guard
        checkout.settings.onLocalChanges == .overwrite
          || step.changes.allSatisfy({ look.stagedChange(at: $0) == nil })
      else { throw StepFault.moved(path: checkout.path) }
    }
    // Also finds a lock that stays, before any file is touched.
    try requireState(of: try checkout.lockBranch(), step)
  }

  private func requireState(of branch: BranchLock, _ step: WorkingCopyStep) throws {
    let isThere: Bool
    do throws(GitError) {
      let state = try branch.state
      isThere =
        state.branch == step.before && state.head == checkout.settings.stream.branch.fullName
    } catch {
      // What is damaged is what this step mends.
      guard case .referenceDamaged = error, step.before == nil, checkout.damage == error else {
        throw error
      }
      isThere = true
    }
    guard isThere else { throw StepFault.moved(path: checkout.path) }
  }

  private func look(at step: WorkingCopyStep) throws -> ContentLook {
    ContentLook(
      step.fileChanges, try EntryLook(checkout.repository.objects, contents: step.contents))
  }

  /// The files, and the index that goes with them, which git does not see yet.
  func exchange(_ step: WorkingCopyStep) throws {
    let look = try look(at: step)
    try checkout.files.exchange(
      step.staged, from: checkout.staging, note: step.note, isExpected: look.isExpected,
      isOld: look.isOld)
    try onPhase(.exchanged)
    try prepareIndex(step)
    try onPhase(.indexed)
  }

  private func moveBranch(_ step: WorkingCopyStep, _ permissions: SharedPermissions) throws {
    let branch = try checkout.lockBranch()
    try onPhase(.branchLocked)
    try requireState(of: branch, step)
    try branch.move(
      from: step.before, to: step.after, message: step.reflogLine)
    try onPhase(.branchMoved)
    try checkout.index.publish(permissions)
    try onPhase(.published)
  }

  /// The objects go while git's lock on the index is held: no program of git's has built on them.
  private func takeBack(_ step: WorkingCopyStep, _ kept: [KeptPack]) throws {
    checkout.index.discard()
    // The branch has moved already, and the index could not follow: that is for the recovery.
    let branch = checkout.settings.stream.branch.fullName
    if step.after != step.before, !checkout.repository.isDamaged(branch),
      try checkout.repository.referenceTarget(branch) == step.after
    {
      return
    }
    try checkout.files.putBack(from: checkout.staging, try look(at: step).isOld)
    for pack in kept { try pack.remove() }
    try refreshIndex(step.changes)
    if !step.isRollBack { try journal.end(checkout.settings.path) }
  }

  /// Of large files that went out and came back. Where the disk has no room even for that, git shows them as changed, and the
  /// next step that is made or taken back corrects it.
  private func refreshIndex(_ changes: [TreeChange]) throws {
    do throws(GitError) {
      try checkout.index.refresh()
    } catch {
      if case .indexUnreadable = error { return }
      throw error
    }
    do {
      try LargeFileStatuses(checkout.repository)
        .refresh(checkout.index, changes, in: checkout.files)
    } catch let error as GitError where error.code == .diskFull {
      checkout.index.discard()
    }
  }

  /// Entries with the status of the files that were written, where these are still the ones: git need not
  /// read them to see that they are unchanged.
  private func prepareIndex(_ step: WorkingCopyStep) throws {
    let now = IndexedStatus.Time.now()
    let files = Dictionary(step.staged.writes.map { ($0.path, $0.file) }) { $1 }
    var removals: [TreePath] = []
    var upserts: [IndexUpsert] = []
    for change in step.changes {
      guard let new = change.new else {
        removals.append(change.path)
        continue
      }
      let status = try files[change.path].flatMap {
        try checkout.files.status(of: change.path, ifStill: $0)
      }
      upserts.append(
        IndexUpsert(
          path: change.path, entry: new, status: status.map { IndexedStatus($0) },
          isLargeFile: step.contents[change.path] != nil))
    }
    try checkout.index.prepare(removals: removals, upserts: upserts, lookedAt: now)
  }
}

/// Whether a file holds what one of the two revisions has at its path.
struct ContentLook {
  private static let bufferByteCount = 65_536

  private let changes: [TreePath: TreeChange]
  private let look: EntryLook

  init(_ changes: [TreeChange], _ look: EntryLook) {
    self.changes = Dictionary(changes.map { ($0.path, $0) }) { $1 }
    self.look = look
  }

  /// The revision before: then nothing is lost with the file.
  func isOld(
    _ path: TreePath, _ reader: inout FileReader
  ) throws(WorkingTreeError) -> Bool {
    try holds(changes[path]?.old, &reader)
  }

  /// What the checks let pass: the revision before, or, where that has nothing, the one after.
  func isExpected(
    _ path: TreePath, _ reader: inout FileReader
  ) throws(WorkingTreeError) -> Bool {
    try holds(changes[path]?.old ?? changes[path]?.new, &reader)
  }

  private func holds(
    _ entry: TreeEntry?, _ reader: inout FileReader
  ) throws(WorkingTreeError) -> Bool {
    try entry.map { entry throws(WorkingTreeError) in try look.holds(entry, &reader) } ?? false
  }

  /// The pointer to what a file holds; `nil`: it is empty.
  static func pointer(
    to reader: inout FileReader
  ) throws(WorkingTreeError) -> LargeFilePointer? {
    var hasher = LargeFileHasher()
    var buffer = [UInt8](repeating: 0, count: bufferByteCount)
    while true {
      let count = try reader.read(into: &buffer)
      if count == 0 { return hasher.finish() }
      hasher.update(buffer.span.extracting(0..<count))
    }
  }

  /// In pieces, so that a large file is never in memory; `nil` when it changed meanwhile.
  static func hash(_ reader: inout FileReader) throws(WorkingTreeError) -> ObjectID? {
    var hasher = ObjectHasher(.blob, byteCount: Int(reader.status.size))
    var buffer = [UInt8](repeating: 0, count: bufferByteCount)
    while true {
      let count = try reader.read(into: &buffer)
      if count == 0 { return hasher.finish() }
      hasher.update(buffer.span.extracting(0..<count))
    }
  }
}

extension StepFault {
  /// What another program did is told as such; anything else as it is.
  init(orThrow error: any Error) throws {
    guard case .touched(let path, let touch)? = error as? WorkingTreeError else { throw error }
    self = .touched(path: "\(path)", how: "\(touch)")
  }
}

extension IndexedStatus {
  init(_ status: FileStatus) {
    self.init(
      changed: Time(
        seconds: Int(status.changed.seconds), nanoseconds: Int(status.changed.nanoseconds)),
      modified: Time(
        seconds: Int(status.modified.seconds), nanoseconds: Int(status.modified.nanoseconds)),
      device: status.device, inode: status.inode, user: status.user, group: status.group,
      byteCount: Int(status.size))
  }
}
