import Applier
import Git
import Logging
import Synchronization
import TestSupport
import Testing

/// What waits for a checkout that this machine could not write to, and what comes in meanwhile.
struct CheckoutFaultTests {
  /// Moves on by 10 ms whenever someone looks.
  private final class TickingClock: Sendable {
    private let time = Mutex(ContinuousClock.now)

    func set(_ instant: ContinuousClock.Instant) { time.withLock { $0 = instant } }

    func read() -> ContinuousClock.Instant {
      time.withLock { time in
        time += .milliseconds(10)
        return time
      }
    }
  }

  /// The wait ends while a step is opening messages: those that it still has to open must not pass those that it held.
  @Test func messagesKeepTheirOrderThoughTheWaitEndsWithinAStep() throws {
    let pipeline = try Pipeline.started()
    let clock = TickingClock()
    let worker = Worker(
      pipeline.applierSettings, store: pipeline.store,
      log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
      now: { [clock = pipeline.clock] in clock.now }, instant: { clock.read() }, onAnswer: {})
    for number in 0...20 {
      try pipeline.source.commit(["a": "\(number)\n"])
      try pipeline.send()
    }
    let messages = try pipeline.sealedMessages()
    try pipeline.deposit(messages[0])
    let end = try waitEnd(of: worker, pipeline)
    for message in messages.dropFirst() { try pipeline.deposit(message) }
    // Who looks once a message comes to the end in the midst of them.
    clock.set(end.advanced(by: .milliseconds(-100)))
    _ = try worker.handleNext()
    #expect(try pipeline.receipts().isEmpty)
    clock.set(end)
    while case .progress = try worker.handleNext() {}
    #expect(try pipeline.receipts().map(\.refusal) == Array(repeating: nil, count: 21))
    try pipeline.expectEqual()
  }

  /// What lies in the inbox waits: someone else holds the checkout.
  private func waitEnd(
    of worker: Worker, _ pipeline: Pipeline
  ) throws -> ContinuousClock.Instant {
    let lock = try CheckoutLock(gitDirectory: pipeline.checkout.path + "/.git")
    var end: ContinuousClock.Instant?
    for _ in 0..<3 { if case .idle(let next) = try worker.handleNext() { end = next } }
    _ = consume lock
    #expect(worker.fault?.path == pipeline.checkout.path)
    return try #require(end)
  }
}
