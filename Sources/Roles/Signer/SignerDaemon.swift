package import MessageFormat

/// What a signer does by itself, without a push: sends what machines have missed, and heartbeats.
///
/// Opens no socket: it fills the outbox, and whoever runs it moves what is there. Belongs to one thread.
package struct SignerDaemon {
  /// Receipts may come in at any time; looked at so often at least.
  private static let intervalMillisecondsMax: UInt64 = 60_000

  private let settings: SignerSettings
  private let outbox: Outbox
  private let healing: Healing
  private let heartbeats: Heartbeats
  private let now: () -> Timestamp

  package init(
    _ settings: SignerSettings, outbox: Outbox, progress: SendProgress,
    now: @escaping () -> Timestamp
  ) {
    self.now = now
    self.settings = settings
    self.outbox = outbox
    healing = Healing(Sending(settings, outbox: outbox, progress: progress, now: now))
    heartbeats = Heartbeats(settings: settings, outbox: outbox, now: now)
  }

  /// What one step came to.
  package struct Step {
    /// Messages for machines that had missed something.
    package let sent: [Sending.Sent]
    package let failures: [Healing.Failure]
    /// When there is something to do again, unless a receipt comes before.
    package let next: Timestamp
  }

  /// Whether the time has come that a step answered, or the clock was set back since: no step looks so far ahead.
  package func isDue(_ time: Timestamp) -> Bool {
    let now = now()
    return time <= now || time > now.adding(milliseconds: Self.intervalMillisecondsMax)
  }

  /// Does what is due; to be repeated at the time it answers, and whenever receipts were recorded.
  package func step() throws -> Step {
    try outbox.sweep(settings, at: now())
    // One machine's snapshot takes its time, and is no reason for another's to be stale.
    let heartbeat = try heartbeats.run()
    let healed = try healing.run(countMax: 1)
    let latest = now().adding(milliseconds: Self.intervalMillisecondsMax)
    return Step(
      sent: healed.sent, failures: healed.failures,
      next: [healed.next, heartbeat, latest].compactMap { $0 }.min() ?? latest)
  }
}
