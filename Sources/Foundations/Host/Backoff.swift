/// How long to wait before something that failed is tried again: twice as long each time, up to a limit, and never the
/// same for all, so that a thousand machines whose relay has come back do not knock at once.
package struct Backoff: Sendable {
  /// Which part of a step is waited, between half and all of it; another one each time.
  package typealias Jitter = @Sendable () -> Double

  package static let random: Jitter = { .random(in: 0.5...1) }

  private let first: Duration
  private let longest: Duration
  private let jitter: Jitter
  private var failureCount = 0

  /// `jitter`: `random`, unless runs are to repeat.
  package init(first: Duration, longest: Duration, jitter: @escaping Jitter) {
    precondition(first > .zero && first <= longest)
    (self.first, self.longest, self.jitter) = (first, longest, jitter)
  }

  package mutating func reset() { failureCount = 0 }

  package mutating func next() -> Duration {
    var step = first
    for _ in 0..<failureCount where step < longest { step = min(step * 2, longest) }
    failureCount += 1
    return step * jitter()
  }
}
