import Applier
import Foundation
import GRDB
import GitModel
import Glibc
import TestSupport
import Testing

/// A step that is killed at one of its phases, and what the next run makes of it.
struct KilledStepTests {
  /// What happens in the checkout before the next run.
  enum Meanwhile: String, CaseIterable {
    case nothing
    /// A person changes a file that the step changes as well.
    case edit
    /// `git gc --prune=now`
    case collection
  }

  /// A message waits; its step changes, adds, moves and removes files, large ones too, and puts one in the place of a
  /// directory.
  private static func prepare(in folder: PipelineFolder) throws -> (ObjectID, ObjectID) {
    let pipeline = try Pipeline(
      PipelineOptions(largeFiles: .ship), in: folder, makingSource: true)
    let before = try pipeline.source.commit([
      "a": "1\n", "b/c": "1\n", "d": "1\n", ".gitattributes": Pipeline.attributes,
      "big.bin": try pipeline.largeFile("large 1\n"), "old.bin": try pipeline.largeFile("old\n"),
    ])
    try pipeline.push()
    try pipeline.source.remove("b")
    try pipeline.source.git("mv", "old.bin", "moved.bin")
    let after = try pipeline.source.commit([
      "a": "2\n", "b": "2\n", "new/file": "2\n",
      "big.bin": try pipeline.largeFile("large 2\n"),
      "new/big.bin": try pipeline.largeFile("new\n"),
    ])
    try pipeline.send()
    try pipeline.transfer()
    return (before, after)
  }

  private static func work(in path: String, until phase: String) throws {
    let pipeline = try Pipeline(in: PipelineFolder(existing: path))
    pipeline.restartWorker { if $0.rawValue == phase { Glibc.kill(getpid(), SIGKILL) } }
    try pipeline.work()
  }

  private func kill(in folder: PipelineFolder, at phase: StepPhase) async {
    await #expect(processExitsWith: .signal(SIGKILL)) {
      [path = folder.path as String, phase = phase.rawValue as String] in
      try Self.work(in: path, until: phase)
    }
  }

  private static func isBefore(_ phase: StepPhase, _ other: StepPhase) -> Bool {
    let all = StepPhase.allCases
    return all.firstIndex(of: phase).map { $0 < all.firstIndex(of: other) ?? 0 } ?? false
  }

  @Test(arguments: StepPhase.ofWorkingSteps, Meanwhile.allCases)
  func `a killed step is whole after the next run, and nothing of a person's is lost`(
    phase: StepPhase, meanwhile: Meanwhile
  ) async throws {
    let folder = try PipelineFolder()
    let (before, after) = try Self.prepare(in: folder)
    await kill(in: folder, at: phase)
    let pipeline = try Pipeline(in: folder)
    let isMoved = !Self.isBefore(phase, .branchMoved)
    #expect(try pipeline.checkout.id() == (isMoved ? after : before))
    let isInJournal = !Self.isBefore(phase, .recorded) && phase != .answered
    #expect(try pipeline.journalCount() == (isInJournal ? 1 : 0))
    switch meanwhile {
    case .nothing: break
    case .edit: try pipeline.checkout.write("a", "edited\n")
    case .collection:
      // It stops at a lock on a branch; its parts do not.
      for command in [
        ["gc", "-q", "--prune=now"], ["repack", "-adq"], ["prune", "--expire=now"],
      ] {
        _ = try pipeline.checkout.run(command)
      }
    }
    try pipeline.work()
    let receipts = try pipeline.receipts()
    if meanwhile == .edit {
      #expect(receipts.map(\.refusal) == [isMoved ? nil : .localChanges])
      #expect(try pipeline.checkout.git("diff", "HEAD", "--name-only") == "a")
      let text = try String(contentsOfFile: pipeline.checkout.path + "/a", encoding: .utf8)
      #expect(text == "edited\n")
      try pipeline.checkout.git("checkout", "-q", "HEAD", "--", "a")
      try pipeline.expectNextPushArrives()
    } else {
      #expect(receipts.map(\.refusal) == [nil])
    }
    try pipeline.expectEqual()
    try pipeline.expectNothingLeft()
    #expect(try pipeline.checkout.run(["gc", "-q", "--prune=now"]).status == 0)
    try pipeline.expectNextPushArrives()
  }

  /// The first kill leaves everything to the recovery, the second one ends that.
  @Test(
    arguments: StepPhase.ofWorkingSteps.filter { ![.prepared, .activated, .answered].contains($0) })
  func `a recovery that is killed is made again`(phase: StepPhase) async throws {
    let folder = try PipelineFolder()
    _ = try Self.prepare(in: folder)
    await kill(in: folder, at: .recorded)
    await kill(in: folder, at: phase)
    let pipeline = try Pipeline(in: folder)
    try pipeline.work()
    #expect(try pipeline.receipts().map(\.refusal) == [nil])
    try pipeline.expectEqual()
    try pipeline.expectNothingLeft()
    try pipeline.expectNextPushArrives()
  }

  struct Fault: Error {}

  @Test(arguments: StepPhase.ofWorkingSteps)
  func `a fault leaves a step undone or done, and the next run does it`(
    phase: StepPhase
  ) throws {
    let folder = try PipelineFolder()
    let (before, after) = try Self.prepare(in: folder)
    let pipeline = try Pipeline(in: folder)
    let untouched = try PipelineWorkingCopy(pipeline.checkout.path)
    pipeline.restartWorker { if $0 == phase { throw Fault() } }
    try pipeline.work()
    #expect(pipeline.worker.fault?.reason is Fault)
    if Self.isBefore(phase, .branchMoved) {
      let difference = try PipelineWorkingCopy(pipeline.checkout.path).difference(from: untouched)
        // What goes back into a directory that was made again is the same file, and that another directory.
        .filter { $0 != "." && $0 != "./b" }
        // Contents stay in the store; files that went out and came back have another change time.
        .filter { !$0.hasPrefix("./.git/lfs/objects/") && $0 != "./.git/index" }
      #expect(difference == [])
      try pipeline.expectNothingLeft()
    }
    let isTakenBack = Self.isBefore(phase, .branchMoved)
    #expect(try pipeline.checkout.id() == (isTakenBack ? before : after))
    if isTakenBack {
      #expect(try pipeline.checkout.status() == "")
      try pipeline.expectNothingLeft()
    }
    pipeline.restartWorker()
    try pipeline.work()
    #expect(try pipeline.receipts().map(\.refusal) == [nil])
    try pipeline.expectEqual()
    try pipeline.expectNothingLeft()
    try pipeline.expectNextPushArrives()
  }
}

extension Pipeline {
  func journalCount() throws -> Int {
    try store.state.queue.read { database in
      try Int.fetchOne(database, sql: "SELECT COUNT(*) FROM journal") ?? 0
    }
  }

  /// No step has left a file, a lock, a mark or an entry of the journal.
  func expectNothingLeft(sourceLocation: SourceLocation = #_sourceLocation) throws {
    let git = checkout.path + "/.git"
    let names = try FileManager.default.subpathsOfDirectory(atPath: git).filter { name in
      name.hasPrefix("distro-staging/") || name.hasSuffix(".lock") && name != "distro.lock"
        || name.hasSuffix(".keep") || name.contains("distro-incoming")
    }
    #expect(names == [], sourceLocation: sourceLocation)
    #expect(try journalCount() == 0, sourceLocation: sourceLocation)
  }
}
