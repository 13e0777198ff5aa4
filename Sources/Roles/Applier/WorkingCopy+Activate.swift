import Git
import GitModel
import WorkingTree

// The order of a step's writes: docs/architecture.md, "The journal".
extension WorkingCopy {
  /// Whole, or taken back and thrown.
  func run(_ step: WorkingCopyStep) throws {
    let lock = try checkout.takeIndexLock()
    defer { _ = lock }
    try requireUnmoved(step)
    let permissions = try checkout.repository.sharedPermissions
    var kept: [KeptPack] = []
    do {
      let damaged = try looseCopies(of: step)
      for pack in step.packs { kept.append(try pack.keep(permissions)) }
      // As files of their own they may be what cannot be read.
      try checkout.repository.removeLooseObjects(damaged)
      if let patches = step.patches {
        try recordShallowBoundary(patches)
        try journal.begin(
          checkout.settings.path, from: step.before, to: step.after, patches: patches)
      }
      try exchange(step)
      try moveBranch(step, permissions)
    } catch {
      try takeBack(step, kept)
      throw try StepFault(orThrow: error)
    }
    // It stands. What fails from here on is done by whoever starts next.
    for pack in kept { try pack.release() }
    try checkout.files.settle(
      from: checkout.staging, keeping: step.staged.submodules.map(\.path))
    try journal.mark(checkout.settings.path, .activated)
  }

  /// The last look at HEAD, the branch and the index, under git's lock on the index.
  private func requireUnmoved(_ step: WorkingCopyStep) throws {
    if try checkout.index.refresh() {
      // The files are looked at when they are replaced; who staged something since would lose that.
      let look = LocalChanges(checkout: checkout, pending: [:])
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

  /// The files, and the index that goes with them, which nobody reads yet.
  private func exchange(_ step: WorkingCopyStep) throws {
    let look = ContentLook(step.changes)
    try checkout.files.exchange(
      step.staged, from: checkout.staging, note: step.note, isExpected: look.isExpected,
      isOld: look.isOld)
    try prepareIndex(step.changes, step.staged)
  }

  private func moveBranch(_ step: WorkingCopyStep, _ permissions: SharedPermissions) throws {
    let branch = try checkout.lockBranch()
    try requireState(of: branch, step)
    try branch.move(
      from: step.before, to: step.after, message: "distro: \(step.after.abbreviated)")
    try checkout.index.publish(permissions)
  }

  /// Where a checkout is mended: what its packs hold, and the repository holds in files of its own as well.
  private func looseCopies(of step: WorkingCopyStep) throws -> [ObjectID] {
    guard checkout.damage != nil, let after = step.patches?.last?.message.after else { return [] }
    return try step.packs.flatMap { pack in
      try pack.looseCopies(ofCommit: after.revision, tree: after.tree)
    }
  }

  /// A commit whose parents did not travel is where git's view of the history ends.
  private func recordShallowBoundary(_ patches: [CheckedPatch]) throws {
    let known = try checkout.repository.shallowBoundary()
    let boundary = patches.reduce(known) { $0.subtracting($1.completed).union($1.boundary) }
    guard boundary != known else { return }
    try checkout.setShallowBoundary(boundary)
  }

  /// The objects go while git's lock on the index is held: nobody has built on them.
  private func takeBack(_ step: WorkingCopyStep, _ kept: [KeptPack]) throws {
    checkout.index.discard()
    // The branch has moved already, and the index could not follow: that is for the recovery.
    let branch = checkout.settings.stream.branch.fullName
    if step.after != step.before, !checkout.repository.isDamaged(branch),
      try checkout.repository.referenceTarget(branch) == step.after
    {
      return
    }
    try checkout.files.putBack(from: checkout.staging, ContentLook(step.changes).isOld)
    for pack in kept { try pack.remove() }
    try journal.end(checkout.settings.path)
  }

  /// Entries with the status of the files that were written, where these are still the ones: git need not
  /// read them to see that they are unchanged.
  func prepareIndex(_ changes: [TreeChange], _ staged: StagedChange) throws {
    let files = Dictionary(staged.writes.map { ($0.path, $0.file) }) { $1 }
    var removals: [TreePath] = []
    var upserts: [IndexUpsert] = []
    for change in changes {
      guard let new = change.new else {
        removals.append(change.path)
        continue
      }
      let status = try files[change.path].flatMap {
        try checkout.files.status(of: change.path, ifStill: $0)
      }
      upserts.append(
        IndexUpsert(path: change.path, entry: new, status: status.map { IndexedStatus($0) }))
    }
    try checkout.index.prepare(removals: removals, upserts: upserts)
  }
}

/// Whether a file holds what one of the two revisions has at its path.
struct ContentLook {
  private static let bufferByteCount = 65_536

  private let changes: [TreePath: TreeChange]

  init(_ changes: [TreeChange]) {
    self.changes = Dictionary(changes.map { ($0.path, $0) }) { $1 }
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
    guard let entry, reader.status.fileMode == entry.mode else { return false }
    return try Self.hash(&reader) == entry.id
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
