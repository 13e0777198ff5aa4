import Git
import GitModel
import MessageFormat
import WorkingTree

/// A deployment whose files are replaced in place, in a directory that people may work in with git.
///
/// git's lock on the index is taken before the last look at anything, and kept until the new index stands:
/// no git program that changes files, index or commits runs meanwhile. The locks on HEAD and the branch
/// are taken last, for a moment: git's own programs, which may be between their index and their HEAD, give
/// up on these after 100 ms. Whoever moved HEAD until then has the step taken back.
final class WorkingCopy: Deployment {
  /// How long one of git's locks is waited for; its programs hold them for moments.
  static let lockPatience: Duration = .milliseconds(500)

  let checkout: Checkout
  let journal: Journal
  private var step: WorkingCopyStep?
  /// What `rollBack` goes back over.
  private var activated: WorkingCopyStep?

  init(_ checkout: Checkout, journal: Journal) {
    self.checkout = checkout
    self.journal = journal
  }

  func prepare(_ batch: Batch) throws {
    guard let last = batch.patches.last else { preconditionFailure("there is something to do") }
    let changes = Array(batch.changes.values)
    var objects = batch.overlay
    var packs: [QuarantinedPack] = []
    for patch in batch.patches {
      guard case .packed(let pack) = patch.objects else { continue }
      packs.append(pack)
      if !patch.message.commit.isEmpty { try objects.add(.commit, patch.message.commit) }
    }
    let source = packs.first?.objects
    try requireRoom(for: changes, beside: objects.byteCount) { id throws(GitError) in
      if let source { return try source.header(id).byteCount }
      return try objects.byteCount(of: id)
    }
    if let pack = try objects.pack(for: checkout.repository) { packs.append(pack) }
    var step = WorkingCopyStep(
      before: checkout.branchTarget, after: last.message.after.revision, changes: changes,
      expected: batch.expected, packs: packs, patches: batch.patches)
    try stage(&step) { id throws(GitError) in
      if let source { return try source.read(id, .blob) }
      return try objects.read(id, .blob)
    }
    self.step = step
  }

  func activate() throws {
    guard let step else { preconditionFailure("a step is prepared before it is activated") }
    self.step = nil
    do {
      try run(step)
      activated = step
    } catch {
      // After a step that could not be taken back either, all of it is needed.
      if checkout.staging.interrupted == nil { try checkout.staging.removeAll() }
      throw error
    }
  }

  func rollBack() throws {
    guard let done = activated else { preconditionFailure("only what stands is taken back") }
    guard let before = done.before else { preconditionFailure("there is a revision to go back to") }
    let objects = checkout.repository.objects
    let changes = done.changes.map { TreeChange(path: $0.path, old: $0.new, new: $0.old) }
    let expected = try LocalChanges(checkout: checkout, pending: [:]).require(noneAt: changes)
    var step = WorkingCopyStep(
      before: done.after, after: before, changes: changes, expected: expected, packs: [],
      patches: done.patches)
    try stage(&step) { id throws(GitError) in try objects.read(id, .blob) }
    try run(step)
    activated = nil
  }

  private func requireRoom(
    for changes: [TreeChange], beside objectByteCount: Int,
    byteCount: (ObjectID) throws(GitError) -> Int
  ) throws {
    var files = Room()
    for change in changes {
      guard let new = change.new, new.mode != .submodule else { continue }
      files.add(fileOf: try byteCount(new.id))
    }
    files.add(packOf: objectByteCount)
    try files.require(at: checkout.path)
  }

  /// Writes what the changes put into the working tree to a private place on its file system, and syncs it.
  func stage(
    _ step: inout WorkingCopyStep, content: (ObjectID) throws(GitError) -> [UInt8]
  ) throws {
    let staging = checkout.staging
    do {
      for change in step.changes {
        let expected = step.expected[change.path] ?? .anything
        switch change.new {
        case nil: step.staged.removals.append(.init(path: change.path, expected: expected))
        case let new? where new.mode == .submodule:
          step.staged.submodules.append(.init(path: change.path, expected: expected))
        case let new?:
          let file = try staging.write(
            new.mode, content: try content(new.id), for: change.path, in: checkout.files)
          step.staged.writes.append(.init(path: change.path, file: file, expected: expected))
        }
      }
      try staging.sync()
      try checkout.files.check(step.staged, from: staging)
    } catch {
      try staging.removeAll()
      guard let error = error as? WorkingTreeError, error.isObstruction else { throw error }
      throw Refused(.localChanges, "\(error)")
    }
  }
}

/// One step, from what it is made of to what is staged for it.
struct WorkingCopyStep {
  let before: ObjectID?
  let after: ObjectID
  let changes: [TreeChange]
  /// What was seen at each path when it was checked; where nothing is, anything goes.
  let expected: [TreePath: ExpectedContent]
  let packs: [QuarantinedPack]
  /// `nil`: the journal has them already.
  let patches: [CheckedPatch]?
  var staged = StagedChange()

  /// For whoever finds the files of a step that did not come to its end.
  var note: [UInt8] { Array(StepNote(before: before, after: after).text.utf8) }
}

/// The two revisions of a step, as the staging directory keeps them.
struct StepNote: Equatable {
  let before: ObjectID?
  let after: ObjectID

  var text: String { "\(before?.hex ?? "-") \(after.hex)" }

  init(before: ObjectID?, after: ObjectID) {
    self.before = before
    self.after = after
  }

  init?(_ bytes: [UInt8]) {
    let words = String(decoding: bytes, as: UTF8.self).split(separator: " ").map(String.init)
    guard words.count == 2, let after = ObjectID(hex: words[1]) else { return nil }
    self.init(before: ObjectID(hex: words[0]), after: after)
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
