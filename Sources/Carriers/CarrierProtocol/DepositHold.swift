package import Host

/// What of a mailbox waits after a refusal.
package struct DepositHold {
  private var backoff: Backoff
  /// `nil`: it is being tried.
  package var until: ContinuousClock.Instant?
  /// What has fewer bytes goes on: it may fit where that much does not.
  package private(set) var byteCount: UInt64 = 0

  package init(jitter: @escaping Backoff.Jitter) {
    backoff = Backoff(first: .seconds(1), longest: .seconds(60), jitter: jitter)
  }

  package mutating func begin(_ refused: UInt64, at now: ContinuousClock.Instant) {
    byteCount = until == nil ? refused : min(byteCount, refused)
    // In one pause several may be refused, each smaller than the last.
    if until == nil { until = now + backoff.next() }
  }

  package func holds(_ byteCount: UInt64) -> Bool { until != nil && byteCount >= self.byteCount }
}
