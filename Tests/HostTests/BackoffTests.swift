import Host
import TestSupport
import Testing

@Suite struct BackoffTests {
  private static let steps: [Duration] = [1, 2, 4, 8, 16, 30, 30, 30].map { .seconds($0) }

  @Test func pausesGrowUpToTheLimitAndAreNeverShorterThanHalf() {
    var generator = SeededGenerator(seed: 1)
    var backoff = Backoff(first: .seconds(1), longest: .seconds(30))
    for step in Self.steps {
      let pause = backoff.next(using: &generator)
      #expect(pause >= step / 2 && pause <= step)
    }
  }

  @Test func machinesDoNotKnockAtOnce() {
    let pauses = (0..<UInt64(100)).map { seed in
      var generator = SeededGenerator(seed: seed)
      var backoff = Backoff(first: .seconds(30), longest: .seconds(30))
      return backoff.next(using: &generator)
    }
    // Over half of 30 s, and some in each tenth of that.
    for tenth in 0..<10 {
      let begin = Duration.seconds(15) + .milliseconds(1_500) * tenth
      #expect(pauses.contains { $0 >= begin && $0 < begin + .milliseconds(1_500) })
    }
  }

  @Test func whatWorkedBeginsAnew() {
    var generator = SeededGenerator(seed: 1)
    var backoff = Backoff(first: .seconds(1), longest: .seconds(30))
    for _ in 0..<1_000 { _ = backoff.next(using: &generator) }
    backoff.reset()
    #expect(backoff.next(using: &generator) <= .seconds(1))
  }
}
