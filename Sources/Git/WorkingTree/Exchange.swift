package import GitModel
internal import Glibc

extension WorkingTree {
  /// Whether a file that was taken out of the tree holds what it should.
  package typealias Look = (TreePath, inout FileReader) throws(WorkingTreeError) -> Bool

  /// Makes the change, and returns when it is on the disk; what it replaced and removed waits in the
  /// staging directory until `settle`, or goes back by `putBack`.
  ///
  /// Each path is looked at in the moment in which it is replaced: what comes out of the tree must be
  /// what was expected there, and no program may have it open for writing. Anything else ends the
  /// step; then, as after any error, everything is put back. A killed step is found when the staging
  /// directory is opened.
  ///
  /// In the way of a new file: a directory is replaced only if it holds nothing but removals. In the
  /// way of a new directory: a removal is replaced, and a link where anything is expected.
  package func exchange(
    _ change: StagedChange, from staging: Staging, note: [UInt8], isExpected look: Look,
    isOld: Look
  ) throws(WorkingTreeError) {
    precondition(staging.isSynced, "a file is on the disk before it is moved into the tree")
    precondition(staging.interrupted == nil, "one step at a time")
    let planned = try moves(for: Plan(change), from: staging, note: note)
    try staging.begin(planned.list)
    var step = ExchangeStep(staging: staging, changed: ChangedDirectories(syncsAll: false))
    do throws(WorkingTreeError) {
      for (place, removal) in zip(planned.removals, planned.list.removals) {
        try take(place, to: Staging.slot(removal.number), &step, look)
      }
      for write in change.writes { try place(write, &step, look) }
      for submodule in change.submodules { try makeSubmodule(submodule, &step) }
      try sync(step.changed)
    } catch {
      // The caller says which contents the last revision has; nothing else is let go.
      try putBack(from: staging, isOld)
      throw error
    }
  }

  private func take(
    _ place: StagedChange.Place, to slot: EntryName, _ step: inout ExchangeStep, _ look: Look
  ) throws(WorkingTreeError) {
    let name = EntryNames(place.path).last
    let walk = try walk(to: EntryNames(place.path))
    // Behind a link or a file there is nothing of ours.
    guard walk.stop == nil, let status = try walk.directory.status(name) else {
      return try place.expected.requireNone(at: place.path)
    }
    // A submodule, which goes last, and only if it is empty.
    if status.isDirectory, !place.expected.isFile { return }
    try place.expected.require(status, at: place.path)
    let code = walk.directory.rename(name, to: step.staging.root, slot, .noReplace)
    if code == ENOENT { return try place.expected.requireNone(at: place.path) }
    guard code == 0 else { throw .cannot("remove", name, code) }
    step.changed.note(name.parentPath)
    try step.staging.requireTaken(slot, place.path, place.expected, look)
  }

  private func place(
    _ write: StagedChange.Write, _ step: inout ExchangeStep, _ look: Look
  ) throws(WorkingTreeError) {
    let names = EntryNames(write.path)
    let parent = try makeParent(of: names, &step)
    let (name, slot) = (names.last, Staging.slot(write.file.number))
    step.changed.note(name.parentPath)
    if write.expected.isFile {
      guard let status = try parent.status(name) else {
        throw .touched(write.path, .disappeared)
      }
      try write.expected.require(status, at: write.path)
    } else {
      let code = step.staging.root.rename(slot, to: parent, name, .noReplace)
      if code == 0 { return }
      guard code == EEXIST else { throw .cannot("write", name, code) }
      let isDirectory = try parent.status(name)?.isDirectory ?? false
      guard isDirectory || write.expected == .anything else {
        throw .touched(write.path, .appeared)
      }
    }
    let code = step.staging.root.rename(slot, to: parent, name, .exchange)
    // It was removed in this moment, on purpose.
    if code == ENOENT { throw .touched(write.path, .disappeared) }
    guard code == 0 else { throw .cannot("replace", name, code) }
    try step.staging.requireTaken(slot, write.path, write.expected, look)
  }

  private func makeSubmodule(
    _ place: StagedChange.Place, _ step: inout ExchangeStep
  ) throws(WorkingTreeError) {
    let names = EntryNames(place.path)
    let parent = try makeParent(of: names, &step)
    _ = try enterOrMake(names.last, in: parent, &step)
  }

  private func makeParent(
    of names: EntryNames, _ step: inout ExchangeStep
  ) throws(WorkingTreeError) -> Descriptor {
    var current = try root.again(Descriptor.walkFlags, describing: directory)
    for index in 0..<names.count - 1 {
      current = try enterOrMake(names[index], in: current, &step)
    }
    return current
  }

  private func enterOrMake(
    _ entry: EntryName, in parent: borrowing Descriptor, _ step: inout ExchangeStep
  ) throws(WorkingTreeError) -> Descriptor {
    switch try parent.directory(entry) {
    case .directory(let directory): return directory
    case .missing: break
    case .blocked: throw .touched(entry.treePath, .appeared)
    }
    let code = parent.makeDirectory(entry, permissions: 0o777)
    guard code == 0 || code == EEXIST else { throw .cannot("make the directory", entry, code) }
    step.changed.note(entry.parentPath)
    guard case .directory(let directory) = try parent.directory(entry) else {
      throw .touched(entry.treePath, .appeared)
    }
    return directory
  }
}

/// A step on its way.
struct ExchangeStep {
  let staging: Staging
  var changed: ChangedDirectories
}

extension ExpectedContent {
  /// A certain file or link.
  fileprivate var isFile: Bool { if case .unchanged = self { true } else { false } }

  /// Before the move, since it changes the time that tells most.
  fileprivate func require(
    _ status: FileStatus, at path: TreePath
  ) throws(WorkingTreeError) {
    switch self {
    case .anything: break
    case .nothing: throw .touched(path, .appeared)
    case .unchanged(let old, _): if status != old { throw .touched(path, .changed) }
    }
  }

  fileprivate func requireNone(at path: TreePath) throws(WorkingTreeError) {
    if isFile { throw .touched(path, .disappeared) }
  }
}

extension Staging {
  /// Looks at what came out of the tree. No program can open it there any more.
  fileprivate func requireTaken(
    _ slot: EntryName, _ path: TreePath, _ expected: ExpectedContent, _ look: WorkingTree.Look
  ) throws(WorkingTreeError) {
    guard let status = try root.status(slot) else { throw .touched(path, .disappeared) }
    switch expected {
    case .anything, .nothing:
      if expected == .anything, !status.isDirectory { return }
      guard status.isDirectory, try root.content(of: slot, except: []) == nil else {
        throw .touched(path, .appeared)
      }
    case .unchanged(let old, let isSettled):
      guard status.isSameContent(as: old) else { throw .touched(path, .changed) }
      guard status.isRegular else { return }
      var reader = try open(slot, for: path)
      guard reader.descriptor.isAtRest else { throw .touched(path, .isBeingWritten) }
      guard try reader.status == root.status(slot), reader.status.isSameContent(as: old) else {
        throw .touched(path, .changed)
      }
      if !isSettled, try !look(path, &reader) { throw .touched(path, .changed) }
    }
  }

  func open(_ slot: EntryName, for path: TreePath) throws(WorkingTreeError) -> FileReader {
    let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
    let number = repeatWhileInterrupted {
      unsafe slot.withCString { unsafe openat(root.number, $0, flags) }
    }
    guard number >= 0 else {
      throw .cannot(operation: "open", path: path.description, code: errno)
    }
    let descriptor = Descriptor(owning: number)
    let status = try descriptor.status(describing: path.description)
    return FileReader(path: path, status: status, descriptor: descriptor)
  }
}

extension Descriptor {
  private static let saveMilliseconds = 25

  /// No program has it open for writing; one that saves it has a moment to come to its end.
  var isAtRest: Bool {
    for _ in 0..<Self.saveMilliseconds {
      if !isOpenForWriting { return true }
      usleep(1_000)
    }
    return false
  }
}
