import Git
import GitModel
import MessageFormat
import WorkingTree

/// A deployment whose files are replaced in place, in a directory that people may work in with git.
///
/// git's lock on the index is taken before the last look at anything, and kept until the new index stands:
/// no git program that changes files, index or commits runs meanwhile. The locks on HEAD and the branch
/// are taken last, for a moment: git's own programs, which may be between their index and their HEAD, give
/// up on these after 100 ms. If HEAD moved until then, the step is taken back.
final class WorkingCopy: Deployment {
  /// How long one of git's locks is waited for; its programs hold them for moments.
  static let lockPatience: Duration = .milliseconds(500)

  let checkout: Checkout
  let journal: Journal
  let onPhase: PhaseObserver
  private var step: WorkingCopyStep?

  init(_ checkout: Checkout, journal: Journal, onPhase: @escaping PhaseObserver) {
    self.checkout = checkout
    self.journal = journal
    self.onPhase = onPhase
  }

  func prepare(_ batch: Batch) throws {
    guard let last = batch.patches.last else { preconditionFailure("there is something to do") }
    let changes = Array(batch.changes.values)
    var (objects, packs) = try batch.objects()
    try batch.publishLargeFiles()
    let source = packs.first?.objects
    let inner = batch.submodules?.objects
    let fileChanges = batch.submodules?.fileChanges(beside: changes) ?? changes
    try requireRoom(for: fileChanges, batch.contents, beside: objects.byteCount) {
      id throws(GitError) in
      if let inner, inner.contains(id) { return try inner.header(id).byteCount }
      if let source { return try source.header(id).byteCount }
      return try objects.byteCount(of: id)
    }
    if let submodules = batch.submodules { try publish(submodules) }
    if let pack = try objects.pack(for: checkout.repository) { packs.append(pack) }
    var step = WorkingCopyStep(
      before: checkout.branchTarget, after: last.message.after.revision, changes: changes,
      expected: batch.expected, packs: packs, patches: batch.patches, contents: batch.contents,
      submodules: batch.submodules)
    try stage(&step) { id throws(GitError) in
      if let inner, inner.contains(id) { return try inner.read(id, .blob) }
      if let source { return try source.read(id, .blob) }
      return try objects.read(id, .blob)
    }
    self.step = step
  }

  func activate() throws {
    guard let step else { preconditionFailure("a step is prepared before it is activated") }
    self.step = nil
    do {
      try onPhase(.prepared)
      try run(step)
    } catch {
      // After a step that could not be taken back either, all of it is needed.
      if checkout.staging.interrupted == nil { try checkout.staging.removeAll() }
      throw error
    }
  }

  func directory(of revision: ObjectID) -> String { checkout.path }

  private func requireRoom(
    for changes: [TreeChange], _ contents: [TreePath: LargeFilePointer],
    beside objectByteCount: Int,
    byteCount: (ObjectID) throws(GitError) -> Int
  ) throws {
    var files = Room()
    for change in changes {
      guard let new = change.new, new.mode != .submodule else { continue }
      let large = contents[change.path].map { Int(clamping: $0.byteCount) }
      files.add(fileOf: try large ?? byteCount(new.id))
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
      for change in step.fileChanges {
        let expected = step.expected[change.path] ?? .anything
        switch change.new {
        case nil: step.staged.removals.append(.init(path: change.path, expected: expected))
        case let new? where new.mode == .submodule:
          step.staged.submodules.append(.init(path: change.path, expected: expected))
        case let new?:
          let file =
            if let pointer = step.contents[change.path] {
              try stage(pointer, new.mode, for: change.path)
            } else {
              try staging.write(
                new.mode, content: try content(new.id), for: change.path, in: checkout.files)
            }
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
  /// Those that are answered as applied once the step stands; `nil`: the journal has them already.
  let patches: [CheckedPatch]?
  /// It takes another step back, whose entry stays in the journal as it is.
  var isRollBack = false
  /// What is written in the place of pointers.
  let contents: [TreePath: LargeFilePointer]
  var submodules: SubmoduleChanges?
  var staged = StagedChange()

  var reflogLine: String { "distro: \(isRollBack ? "back to " : "")\(after.abbreviated)" }

  /// Of files, links and directories, those in submodules with them.
  var fileChanges: [TreeChange] { submodules?.fileChanges(beside: changes) ?? changes }

  /// For the run that finds the files of an unfinished step.
  var note: [UInt8] {
    Array(
      StepNote(before: before, after: after, hasSubmodules: submodules != nil).text.utf8)
  }
}

/// The two revisions of a step, as the staging directory keeps them, and whether it has files of submodules.
struct StepNote: Equatable {
  private static let submodules = "submodules"

  let before: ObjectID?
  let after: ObjectID
  let hasSubmodules: Bool

  var text: String {
    "\(before?.hex ?? "-") \(after.hex)" + (hasSubmodules ? " \(Self.submodules)" : "")
  }

  init(before: ObjectID?, after: ObjectID, hasSubmodules: Bool = false) {
    (self.before, self.after, self.hasSubmodules) = (before, after, hasSubmodules)
  }

  init?(_ bytes: [UInt8]) {
    let words = String(decoding: bytes, as: UTF8.self).split(separator: " ").map(String.init)
    guard words.count == 2 || words.count == 3 && words[2] == Self.submodules,
      let after = ObjectID(hex: words[1])
    else { return nil }
    self.init(before: ObjectID(hex: words[0]), after: after, hasSubmodules: words.count == 3)
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
