import Host

/// What of a mailbox waits after a refusal.
struct DepositHold {
  private var backoff: Backoff
  /// `nil`: it is being tried.
  var until: ContinuousClock.Instant?
  /// What has fewer bytes goes on: it may fit where that much does not.
  var byteCount: UInt64 = 0

  init(jitter: @escaping Backoff.Jitter) {
    backoff = Backoff(first: .seconds(1), longest: .seconds(60), jitter: jitter)
  }

  mutating func begin(_ refused: UInt64, at now: ContinuousClock.Instant) {
    byteCount = until == nil ? refused : min(byteCount, refused)
    // In one pause several may be refused, each smaller than the last.
    if until == nil { until = now + backoff.next() }
  }

  func holds(_ byteCount: UInt64) -> Bool { until != nil && byteCount >= self.byteCount }
}
