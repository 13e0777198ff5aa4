import Applier
import Foundation
import Glibc
import Programs
import TestSupport
import Testing

/// A step whose commands decide, killed at one of its phases or while a command runs, and what the next run makes of it.
struct KilledCommandTests {
  /// Where a run is killed.
  enum Place: String, CaseIterable, Codable {
    case prepared, recorded, exchanged, branchMoved, settled, activated
    case failed
    /// While the files go back.
    case exchangedBack, branchMovedBack, settledBack
    case rolledBack, answered

    /// How often the phase is met before it.
    var phase: (StepPhase, number: Int) {
      switch self {
      case .exchangedBack: (.exchanged, 2)
      case .branchMovedBack: (.branchMoved, 2)
      case .settledBack: (.settled, 2)
      default: (StepPhase(rawValue: rawValue) ?? .answered, 1)
      }
    }
  }

  private static func options(_ folder: PipelineFolder) -> PipelineOptions {
    let program = { (text: String) in
      ConfiguredProgram(
        "/bin/sh", ["-c", "F='\(folder.path)'; " + text], deadline: .seconds(60))
    }
    var options = PipelineOptions()
    options.commands = CheckoutCommands(
      beforeApply: program("echo asked >>$F/before"),
      afterApply: program("echo ran >>$F/after; test -e $F/works"),
      onFailure: program("echo \"$DISTRO_AFTER\" >>$F/failures"))
    return options
  }

  /// A message waits whose revision works, or does not.
  private static func prepare(in folder: PipelineFolder, works: Bool) throws -> String {
    let pipeline = try Pipeline(options(folder), in: folder, makingSource: true)
    try folder.write("works", "")
    try pipeline.source.commit(["a": "1\n", "b/c": "1\n", "d": "1\n"])
    let answers = try pipeline.push()
    #expect(answers.map(\.refusal) == [nil], "\(answers.map(\.outcome))")
    if !works { try FileManager.default.removeItem(atPath: folder.path("works")) }
    let before = try pipeline.source.id().hex
    try pipeline.source.remove("b")
    try pipeline.source.commit(["a": "2\n", "b": "2\n", "new/file": "2\n"])
    try pipeline.send()
    try pipeline.transfer()
    return before
  }

  private static func work(in path: String, until place: String) throws {
    let folder = PipelineFolder(existing: path)
    let pipeline = try Pipeline(options(folder), in: folder)
    guard let (phase, number) = Place(rawValue: place)?.phase else { return }
    var count = 0
    pipeline.restartWorker { reached in
      guard reached == phase else { return }
      count += 1
      if count == number { Glibc.kill(getpid(), SIGKILL) }
    }
    try pipeline.work()
  }

  private func kill(in folder: PipelineFolder, at place: Place) async {
    await #expect(processExitsWith: .signal(SIGKILL)) {
      [path = folder.path as String, place = place.rawValue as String] in
      try await onThread { try Self.work(in: path, until: place) }
    }
  }

  @Test(arguments: Place.allCases)
  func `a step that fails is taken back whenever it was killed`(place: Place) async throws {
    let folder = try PipelineFolder()
    let before = try await onThread { try Self.prepare(in: folder, works: false) }
    await kill(in: folder, at: place)
    try await onThread { try Self.expectRolledBack(in: folder, to: before) }
  }

  private static func expectRolledBack(in folder: PipelineFolder, to before: String) throws {
    let pipeline = try Pipeline(options(folder), in: folder)
    try pipeline.work()
    #expect(try pipeline.receipts().map(\.refusal) == [.rolledBack])
    try pipeline.expectEqual(to: before)
    try pipeline.expectNothingLeft()
    let failures = try String(contentsOfFile: folder.path("failures"), encoding: .utf8)
    #expect(Set(failures.split(separator: "\n")) == [Substring(try pipeline.source.id().hex)])
    try folder.write("works", "")
    try pipeline.source.commit(["a": "3\n"])
    #expect(try pipeline.push(from: .nothing).map(\.refusal) == [nil])
    try pipeline.expectEqual()
  }

  @Test(arguments: [Place.prepared, .recorded, .branchMoved, .settled, .activated, .answered])
  func `a command runs until it has succeeded once`(place: Place) async throws {
    let folder = try PipelineFolder()
    _ = try await onThread { try Self.prepare(in: folder, works: true) }
    try FileManager.default.removeItem(atPath: folder.path("after"))
    await kill(in: folder, at: place)
    try await onThread { try Self.expectApplied(in: folder) }
    let runs = try String(contentsOfFile: folder.path("after"), encoding: .utf8)
    #expect(!runs.isEmpty)
  }

  @Test func `a command that was running when the program was killed runs again`() async throws {
    let folder = try PipelineFolder()
    _ = try await onThread { try Self.prepare(in: folder, works: true) }
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = folder.path as String] in
      let folder = PipelineFolder(existing: path)
      var options = Self.options(folder)
      let killer = ConfiguredProgram(
        "/bin/sh", ["-c", "touch '\(path)/began'; kill -9 \(getpid())"], deadline: .seconds(60))
      options.commands = CheckoutCommands(afterApply: killer)
      try await onThread { [options] in _ = try Pipeline(options, in: folder).work() }
    }
    #expect(FileManager.default.fileExists(atPath: folder.path("began")))
    try await onThread { try Self.expectApplied(in: folder) }
  }

  private static func expectApplied(in folder: PipelineFolder) throws {
    let pipeline = try Pipeline(options(folder), in: folder)
    try pipeline.work()
    #expect(try pipeline.receipts().map(\.refusal) == [nil])
    try pipeline.expectEqual()
    try pipeline.expectNothingLeft()
  }
}
