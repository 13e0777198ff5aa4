import Host
import Synchronization
import TestSupport
import Testing

@Suite struct BackoffTests {
  private static let steps: [Duration] = [1, 2, 4, 8, 16, 30, 30, 30].map { .seconds($0) }

  private static func jitter(seed: UInt64) -> Backoff.Jitter {
    let numbers = Numbers(seed)
    return { numbers.next() }
  }

  private final class Numbers: Sendable {
    private let generator: Mutex<SeededGenerator>

    init(_ seed: UInt64) { generator = Mutex(SeededGenerator(seed: seed)) }

    func next() -> Double { generator.withLock { .random(in: 0.5...1, using: &$0) } }
  }

  @Test func `pauses grow up to the limit and are what their jitter leaves of them`() {
    for part in [0.5, 0.75, 1] {
      var backoff = Backoff(first: .seconds(1), longest: .seconds(30), jitter: { part })
      for step in Self.steps { #expect(backoff.next() == step * part) }
    }
  }

  @Test func `random jitter is never less than half and never more than all`() {
    for _ in 0..<1_000 { #expect((0.5...1).contains(Backoff.random())) }
  }

  @Test func `machines do not knock at once`() {
    let pauses = (0..<UInt64(100)).map { seed in
      var backoff = Backoff(
        first: .seconds(30), longest: .seconds(30), jitter: Self.jitter(seed: seed))
      return backoff.next()
    }
    // Over half of 30 s, and some in each tenth of that.
    for tenth in 0..<10 {
      let begin = Duration.seconds(15) + .milliseconds(1_500) * tenth
      #expect(pauses.contains { $0 >= begin && $0 < begin + .milliseconds(1_500) })
    }
  }

  @Test func `what worked begins anew`() {
    var backoff = Backoff(first: .seconds(1), longest: .seconds(30), jitter: { 1 })
    for _ in 0..<1_000 { _ = backoff.next() }
    backoff.reset()
    #expect(backoff.next() == .seconds(1))
  }
}
