import Synchronization

/// How often something may be said: so many times at once, and then once a second.
package final class RateLimiter: Sendable {
  private struct State {
    var rest: Double
    var refilled: ContinuousClock.Instant
    var leftOutCount = 0
  }

  private let burst: Double
  private let state: Mutex<State>

  package init(burst: Int) {
    self.burst = Double(burst)
    state = Mutex(State(rest: Double(burst), refilled: .now))
  }

  /// How many were left out since the last one that was allowed; `nil`: this one is left out as well.
  package func take(at now: ContinuousClock.Instant = .now) -> Int? {
    state.withLock { state in
      state.rest = min(burst, state.rest + (now - state.refilled) / .seconds(1))
      state.refilled = now
      guard state.rest >= 1 else {
        state.leftOutCount += 1
        return nil
      }
      defer { state.leftOutCount = 0 }
      state.rest -= 1
      return state.leftOutCount
    }
  }
}
