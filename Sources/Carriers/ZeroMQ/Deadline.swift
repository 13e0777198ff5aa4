/// How long a call may wait.
package enum Deadline: Sendable {
  /// Not at all.
  case now
  case at(ContinuousClock.Instant)
  case never

  package static func after(_ duration: Duration) -> Deadline { .at(.now + duration) }

  package var isPast: Bool {
    switch self {
    case .now: true
    case .at(let instant): instant <= .now
    case .never: false
    }
  }

  /// As libzmq takes it: -1 never ends; rounded up, so that a wait never ends early and spins.
  var remainingMilliseconds: Int32 {
    switch self {
    case .now: 0
    case .at(let instant): max(.zero, instant - .now).milliseconds
    case .never: -1
    }
  }
}

extension Duration {
  /// Rounded up; what does not fit is the longest that does (24 days).
  var milliseconds: Int32 {
    let (seconds, attoseconds) = components
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000)
    if overflow { return .max }
    let part = (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    return Int32(clamping: whole + part)
  }
}

extension Deadline {
  /// Whichever comes first.
  package static func earlier(_ one: Deadline, _ other: Deadline) -> Deadline {
    switch (one, other) {
    case (.now, _), (_, .now): .now
    case (.never, let rest), (let rest, .never): rest
    case (.at(let first), .at(let second)): .at(min(first, second))
    }
  }
}
