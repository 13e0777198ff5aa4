import Git
import GitModel
import MessageFormat
import Patching
import WorkingTree

/// A message whose revision the checkout is at, or has passed; its receipt can be written.
///
/// Only `Apply` makes one.
struct AppliedPatch {
  let patch: CheckedPatch

  fileprivate init(_ patch: CheckedPatch) { self.patch = patch }
}

/// The third stage: brings a checkout from the revision it is at to the last one of a batch.
///
/// Objects, shallow boundary, staged files, journal, files, branch: each durable before the next. Until the journal is
/// written, an error leaves the checkout as it was; from then on the step is finished by whoever starts next.
struct Apply {
  let journal: Journal

  func apply(_ batch: Batch) throws -> [AppliedPatch] {
    guard let last = batch.patches.last else { return [] }
    let checkout = batch.checkout
    try writeObjects(of: batch)
    let changes = Array(batch.changes.values)
    var staging = try Staging(directory: checkout.stagingDirectory)
    let staged = try Self.stage(changes, in: checkout, &staging)
    try Self.check(staged, from: staging, in: checkout)
    try recordShallowBoundary(batch)
    try journal.begin(
      checkout.settings.path, from: checkout.head?.revision, to: last.message.after.revision,
      patches: batch.patches)
    try checkout.files.commit(staged, from: staging)
    try Self.moveBranch(of: checkout, to: last.message.after.revision)
    return batch.patches.map { AppliedPatch($0) }
  }

  private func writeObjects(of batch: Batch) throws {
    var overlay = batch.overlay
    for patch in batch.patches {
      guard case .packed(let pack) = patch.objects else { continue }
      try pack.keep()
      if !patch.message.commit.isEmpty { try overlay.add(.commit, patch.message.commit) }
    }
    try overlay.flush(into: batch.checkout.repository)
  }

  /// A commit whose parents did not travel is where git's view of the history ends.
  private func recordShallowBoundary(_ batch: Batch) throws {
    let known = try batch.checkout.repository.shallowBoundary()
    let boundary = batch.patches.reduce(known) { $0.subtracting($1.completed).union($1.boundary) }
    guard boundary != known else { return }
    try batch.checkout.repository.setShallowBoundary(boundary)
  }

  /// Writes what the changes put into the working tree to a private place on its file system, and syncs it.
  static func stage(
    _ changes: [TreeChange], in checkout: Checkout, _ staging: inout Staging
  ) throws -> StagedChange {
    var staged = StagedChange()
    for change in changes {
      switch change.new {
      case nil: staged.removals.append(change.path)
      case let new? where new.mode == .submodule: staged.submodules.append(change.path)
      case let new?:
        let content = try checkout.repository.objects.read(new.id, .blob)
        staged.writes.append(
          .init(path: change.path, file: try staging.write(new.mode, content: content)))
      }
    }
    try staging.sync()
    return staged
  }

  private static func check(
    _ staged: StagedChange, from staging: borrowing Staging, in checkout: Checkout
  ) throws {
    do throws(WorkingTreeError) {
      try checkout.files.check(staged, from: staging)
    } catch {
      if error.isObstruction { throw Refused(.localChanges, "\(error)") }
      throw error
    }
  }

  static func moveBranch(of checkout: Checkout, to revision: ObjectID) throws {
    try checkout.repository.compareAndSwap(
      checkout.settings.stream.branch.fullName, from: checkout.head?.revision, to: revision,
      message: "distro: \(revision.abbreviated)")
  }
}

extension WorkingTreeError {
  /// Something of someone else's is where a file or directory is to be.
  fileprivate var isObstruction: Bool {
    switch self {
    case .fileInTheWay, .directoryInTheWay, .contradiction: true
    default: false
    }
  }
}
