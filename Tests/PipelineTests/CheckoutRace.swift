import Applier
import Foundation
import Git
import GitModel
import Logging
import MessageFormat
import Synchronization
import TestSupport
import Testing

/// A checkout that is brought to one revision after the other while another program works in it.
///
/// Each round has a push, and a rival that begins at one of the step's phases, which waits for it for a moment.
/// Afterwards everything that the rival did must be there, everything of ours whole or not at all; when the rival has
/// cleaned up, the checkout comes to the newest revision.
final class CheckoutRace {
  /// `DISTRO_RACE_COUNT`: rounds of each race.
  static let roundCount = number("DISTRO_RACE_COUNT") ?? 2 * (StepPhase.ofWorkingSteps.count + 1)
  /// From here on a race says how far it is.
  private static let reportCount = 500
  /// About what a program of git's takes.
  private static let pauseMicrosecondsMax: UInt32 = 6_000

  private static func number(_ variable: String) -> Int? {
    ProcessInfo.processInfo.environment[variable].flatMap { Int($0) }
  }

  /// Each look is a minute later: no wait for a lock or a person is a wait for the test.
  private final class HastyClock: Sendable {
    private let time = Mutex(ContinuousClock.now)

    func read() -> ContinuousClock.Instant {
      time.withLock { time in
        time += .seconds(60)
        return time
      }
    }
  }

  /// Lets the rival go at a phase.
  private final class Starter: Sendable {
    private struct Round {
      let phase: StepPhase?
      let pauseMicroseconds: UInt32
      let start: DispatchSemaphore
    }

    private let round = Mutex<Round?>(nil)

    /// `phase`: `nil` is before the step.
    func begin(at phase: StepPhase?, pauseMicroseconds: UInt32) -> DispatchSemaphore {
      let start = DispatchSemaphore(value: 0)
      round.withLock {
        $0 = Round(phase: phase, pauseMicroseconds: pauseMicroseconds, start: start)
      }
      return start
    }

    /// Once in a round.
    func pass(_ phase: StepPhase?) {
      let passed = round.withLock { round -> Round? in
        guard let current = round, current.phase == phase else { return nil }
        round = nil
        return current
      }
      guard let passed else { return }
      passed.start.signal()
      if passed.pauseMicroseconds > 0 { usleep(passed.pauseMicroseconds) }
    }

    /// The phase has not come.
    func end() { round.withLock { $0 = nil } }
  }

  let pipeline: Pipeline
  private(set) var round = 0
  private(set) var appliedCount = 0
  private var generator = SeededGenerator(seed: UInt64(number("DISTRO_RACE_SEED") ?? 7))
  private let source: RaceSource
  private let repository: Repository
  private let starter = Starter()
  private var worker: Worker

  init() throws {
    pipeline = try Pipeline.started(files: ["a": "0\n", "b/c": "0\n", "theirs": "tracked\n"])
    try pipeline.checkout.git("config", "gc.auto", "0")
    source = try RaceSource(pipeline.source)
    repository = try Repository(opening: pipeline.checkout.path)
    let clock = HastyClock()
    worker = Worker(
      pipeline.applierSettings, store: pipeline.store,
      log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
      now: { [clock = pipeline.clock] in clock.now }, instant: { clock.read() }, onAnswer: {},
      onPhase: { [starter] in starter.pass($0) })
  }

  var checkout: PipelineRepository { pipeline.checkout }

  private func head() throws -> ObjectID? { try repository.headCommit() }

  /// A file of the checkout, as bytes of text; `nil`: it is not there.
  func content(_ name: String) throws -> String? {
    let path = checkout.path + "/" + name
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    return String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
  }

  /// `rival` runs beside the step, `judge` after both, and undoes what the rival has done.
  func run(
    _ name: String, rival: @escaping @Sendable (PipelineRepository, Int) throws -> Void,
    judge: (CheckoutRace) throws -> Void
  ) throws {
    for number in 1...Self.roundCount {
      round = number
      let before = try #require(try head())
      let after = try source.commit(
        [
          "a": "\(number)\n", number.isMultiple(of: 2) ? "b-\(number)" : "b/c": "\(number)\n",
          "theirs": "tracked\n", "new/\(number)/file": "\(number)\n",
        ], on: before)
      try pipeline.send()
      try pipeline.transfer()
      try step(beside: rival)
      try judge(self)
      try settle(at: before, after)
      if number.isMultiple(of: Self.reportCount) { print("race \(name): \(number) rounds") }
    }
    #expect(appliedCount > 0, "no step of \(Self.roundCount) went through")
    #expect(try checkout.tree() == pipeline.source.tree("main"))
    #expect(try checkout.fsck() == "")
  }

  /// One look at the inbox, or a few: what waits for the rival waits.
  private func step(
    beside rival: @escaping @Sendable (PipelineRepository, Int) throws -> Void
  ) throws {
    let phases = [nil] + StepPhase.ofWorkingSteps
    let pause = UInt32.random(in: 0...Self.pauseMicrosecondsMax, using: &generator)
    let start = starter.begin(
      at: phases[round % phases.count], pauseMicroseconds: round.isMultiple(of: 3) ? 0 : pause)
    let failure = Mutex<(any Error)?>(nil)
    let hasEnded = DispatchSemaphore(value: 0)
    Thread.detachNewThread { [checkout, round] in
      start.wait()
      do { try rival(checkout, round) } catch { failure.withLock { $0 = error } }
      hasEnded.signal()
    }
    starter.pass(nil)
    for _ in 0..<4 { if case .idle = try worker.handleNext() { break } }
    starter.end()
    start.signal()
    hasEnded.wait()
    if let error = failure.withLock({ $0 }) { throw error }
  }

  private func settle(at before: ObjectID, _ after: ObjectID) throws {
    let head = try head()
    #expect(head == before || head == after, "round \(round): HEAD is \(String(describing: head))")
    let status = try checkout.status()
    #expect(status == "", "round \(round): \(status)")
    try work()
    var receipts = try pipeline.receipts()
    if receipts.contains(where: { $0.refusal == nil }) { appliedCount += 1 }
    for _ in 0..<3 where try self.head() != after {
      try pipeline.send()
      try pipeline.transfer()
      try work()
      receipts = try pipeline.receipts()
    }
    #expect(
      try self.head() == after,
      "round \(round): \(receipts.map(\.outcome)), \(String(describing: worker.fault))")
    #expect(try checkout.status() == "", "round \(round)")
    let left = try FileManager.default.contentsOfDirectory(
      atPath: checkout.path + "/.git/distro-staging")
    #expect(left == [], "round \(round): \(left)")
  }

  private func work() throws {
    for _ in 0..<20 { if case .idle = try worker.handleNext() { return } }
  }
}

extension PipelineRepository {
  /// Whether git did it.
  func attempt(_ arguments: String...) throws -> Bool { try run(arguments).status == 0 }
}
