import Applier
import Foundation
import GitModel
import Logging
import MessageFormat
import Synchronization
import TestSupport
import Testing

/// A checkout that is brought to one revision after the other while another program works in it.
///
/// Each round has a push, and a rival that begins somewhere within the step, by the seed. Afterwards everything
/// that the rival did must be there, everything of ours whole or not at all; when the rival has cleaned up, the
/// checkout comes to the newest revision.
final class CheckoutRace {
  /// `DISTRO_RACE_COUNT`: rounds of each race.
  static let roundCount =
    ProcessInfo.processInfo.environment["DISTRO_RACE_COUNT"].flatMap(Int.init) ?? 24
  /// What a step takes here, so that the rival meets every part of it.
  private static let delayMicrosecondsMax = 150_000

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

  let pipeline: Pipeline
  private(set) var round = 0
  private(set) var appliedCount = 0
  private var generator = SeededGenerator(seed: 7)
  private var worker: Worker

  init() throws {
    pipeline = try Pipeline.started(files: ["a": "0\n", "b/c": "0\n", "theirs": "tracked\n"])
    try pipeline.checkout.git("config", "gc.auto", "0")
    let clock = HastyClock()
    worker = Worker(
      pipeline.applierSettings, store: pipeline.store,
      log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
      now: { [clock = pipeline.clock] in clock.now }, instant: { clock.read() }, onAnswer: {})
  }

  var checkout: PipelineRepository { pipeline.checkout }

  /// A file of the checkout, as bytes of text; `nil`: it is not there.
  func content(_ name: String) throws -> String? {
    let path = checkout.path + "/" + name
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    return String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
  }

  /// `rival` runs beside the step, `judge` after both, and undoes what the rival has done.
  func run(
    rounds: Int = CheckoutRace.roundCount,
    rival: @escaping @Sendable (PipelineRepository, Int) throws -> Void,
    judge: (CheckoutRace) throws -> Void
  ) throws {
    for number in 1...rounds {
      round = number
      let before = try checkout.id()
      try pipeline.source.remove(
        number.isMultiple(of: 2) ? "b/c" : "b-\(number - 1)", ifThere: true)
      let after = try pipeline.source.commit([
        "a": "\(number)\n", number.isMultiple(of: 2) ? "b-\(number)" : "b/c": "\(number)\n",
        "new/\(number)/file": "\(number)\n",
      ])
      try pipeline.send()
      try pipeline.transfer()
      let delay = UInt32.random(
        in: 0...UInt32(Self.delayMicrosecondsMax), using: &generator)
      let failure = Mutex<(any Error)?>(nil)
      let hasEnded = DispatchSemaphore(value: 0)
      Thread.detachNewThread { [checkout] in
        usleep(delay)
        do { try rival(checkout, number) } catch { failure.withLock { $0 = error } }
        hasEnded.signal()
      }
      try step()
      hasEnded.wait()
      if let error = failure.withLock({ $0 }) { throw error }
      try judge(self)
      try settle(at: [before, after])
    }
    #expect(appliedCount > 0, "no step of \(rounds) went through")
    try pipeline.expectEqual()
  }

  /// One look at the inbox, or a few: what waits for the rival waits.
  private func step() throws {
    for _ in 0..<4 { if case .idle = try worker.handleNext() { return } }
  }

  private func settle(at revisions: [ObjectID]) throws {
    let head = try checkout.id()
    #expect(revisions.contains(head), "round \(round): HEAD is \(head)")
    let status = try checkout.status()
    #expect(status == "", "round \(round): \(status)")
    for _ in 0..<20 { if case .idle = try worker.handleNext() { break } }
    var receipts = try pipeline.receipts()
    if receipts.contains(where: { $0.refusal == nil }) { appliedCount += 1 }
    for _ in 0..<3 where try checkout.id() != pipeline.source.id() {
      try pipeline.send()
      try pipeline.transfer()
      for _ in 0..<20 { if case .idle = try worker.handleNext() { break } }
      receipts = try pipeline.receipts()
    }
    #expect(
      try checkout.id() == pipeline.source.id(),
      "round \(round): \(receipts.map(\.outcome)), \(String(describing: worker.fault))")
    #expect(try checkout.status() == "", "round \(round)")
    let left = try FileManager.default.contentsOfDirectory(
      atPath: checkout.path + "/.git/distro-staging")
    #expect(left == [], "round \(round): \(left)")
  }
}

extension PipelineRepository {
  fileprivate func remove(_ name: String, ifThere: Bool) throws {
    guard FileManager.default.fileExists(atPath: path + "/" + name) else { return }
    try remove(name)
  }

  /// What git said, whatever its status.
  func attempt(_ arguments: String...) throws -> Bool { try run(arguments).status == 0 }
}
