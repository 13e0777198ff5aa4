import Applier
import Foundation
import Glibc
import TestSupport
import Testing

/// A step that changes submodules, killed at one of its phases, and what the next run makes of it.
struct SubmoduleKilledStepTests {
  /// A message waits: `mod` moves to another commit, `gone` goes, and `new` comes.
  private static func prepare(in folder: PipelineFolder) throws {
    let world = try SubmoduleSource(in: folder)
    try world.add("mod")
    try world.add("gone")
    try world.push()
    try world.lib.remove("dir")
    try world.lib.commit(["a": "2\n", "new": "2\n"])
    try world.advance("mod", to: world.lib)
    try world.source.git("rm", "-q", "gone")
    try world.commit()
    try world.add("new")
    try world.pipeline.send()
    try world.pipeline.transfer()
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

  @Test(arguments: StepPhase.ofWorkingSteps)
  func `a killed step on submodules is whole after the next run`(phase: StepPhase) async throws {
    let folder = try PipelineFolder()
    try Self.prepare(in: folder)
    await kill(in: folder, at: phase)
    let world = try SubmoduleSource(existing: folder)
    try world.pipeline.work()
    #expect(try world.pipeline.receipts().map(\.refusal) == [nil])
    try world.expectAsClone()
    try world.pipeline.expectNothingLeft()
    try world.pipeline.expectNextPushArrives()
  }

  @Test(
    arguments: StepPhase.ofWorkingSteps.filter { ![.prepared, .activated, .answered].contains($0) })
  func `a recovery of submodules that is killed is made again`(phase: StepPhase) async throws {
    let folder = try PipelineFolder()
    try Self.prepare(in: folder)
    await kill(in: folder, at: .recorded)
    await kill(in: folder, at: phase)
    let world = try SubmoduleSource(existing: folder)
    try world.pipeline.work()
    #expect(try world.pipeline.receipts().map(\.refusal) == [nil])
    try world.expectAsClone()
    try world.pipeline.expectNothingLeft()
  }

  struct Fault: Error {}

  @Test(arguments: StepPhase.ofWorkingSteps)
  func `a fault leaves submodules as they were, or all done`(phase: StepPhase) throws {
    let folder = try PipelineFolder()
    try Self.prepare(in: folder)
    let world = try SubmoduleSource(existing: folder)
    let before = try world.checkout.id()
    world.pipeline.restartWorker { if $0 == phase { throw Fault() } }
    try world.pipeline.work()
    #expect(world.pipeline.worker.fault?.reason is Fault)
    if try world.checkout.id() == before { #expect(try world.checkout.status() == "") }
    world.pipeline.restartWorker()
    try world.pipeline.work()
    #expect(try world.pipeline.receipts().map(\.refusal) == [nil])
    try world.expectAsClone()
    try world.pipeline.expectNothingLeft()
  }
}
