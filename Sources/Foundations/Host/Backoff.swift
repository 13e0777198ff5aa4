/// How long to wait before something that failed is tried again: twice as long each time, up to a limit, and never the
/// same for all, so that a thousand machines whose relay has come back do not knock at once.
package struct Backoff: Sendable {
  private let first: Duration
  private let longest: Duration
  private var failureCount = 0

  package init(first: Duration, longest: Duration) {
    precondition(first > .zero && first <= longest)
    self.first = first
    self.longest = longest
  }

  package mutating func reset() { failureCount = 0 }

  /// Between half and all of the next step.
  package mutating func next(
    using generator: inout some RandomNumberGenerator
  ) -> Duration {
    var step = first
    for _ in 0..<failureCount where step < longest { step = min(step * 2, longest) }
    failureCount += 1
    return step * Double.random(in: 0.5...1, using: &generator)
  }

  package mutating func next() -> Duration {
    var generator = SystemRandomNumberGenerator()
    return next(using: &generator)
  }
}
