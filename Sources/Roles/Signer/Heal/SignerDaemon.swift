import Diagnostics
package import Logging
package import MessageFormat

/// What a signer does by itself, without a push: heartbeats, upkeep, and sending what recipients have missed.
///
/// Opens no socket: it fills the outbox, and the carriers move what is there. `step` and `heal` belong to a thread
/// each, so that a pack of minutes delays no heartbeat.
package struct SignerDaemon {
  /// Looked at so often at least.
  private static let intervalMillisecondsMax: UInt64 = 60_000
  private static let upkeepMilliseconds: UInt64 = 600_000

  private let settings: SignerSettings
  private let outbox: Outbox
  private let healing: Healing
  private let heartbeats: Heartbeats
  private let log: Logger
  private let now: () -> Timestamp
  private var upkeptAt: Timestamp?

  /// `mirrors`: shared by all that send from this process.
  package init(
    _ settings: SignerSettings, outbox: Outbox, mirrors: Mirrors = Mirrors(),
    progress: SendProgress, log: Logger, now: @escaping () -> Timestamp
  ) {
    (self.log, self.now) = (log, now)
    self.settings = settings
    self.outbox = outbox
    healing = Healing(
      Sending(settings, outbox: outbox, mirrors: mirrors, progress: progress, now: now))
    heartbeats = Heartbeats(settings: settings, outbox: outbox, now: now)
  }

  /// Heartbeats and upkeep that are due; returns for how many milliseconds nothing will be.
  package mutating func step() throws -> UInt64 {
    try upkeep()
    let next = try heartbeats.run()
    let time = now()
    guard let next, next > time else {
      return next == nil ? Self.intervalMillisecondsMax : 0
    }
    return min(next.milliseconds - time.milliseconds, Self.intervalMillisecondsMax)
  }

  private mutating func upkeep() throws {
    let time = now()
    if let upkeptAt {
      let end = upkeptAt.adding(milliseconds: Self.upkeepMilliseconds)
      // A clock that was set back must not put it off.
      guard end <= time || upkeptAt > time else { return }
    } else {
      try outbox.supersedeLost()
    }
    let swept = try outbox.sweep(settings, at: time)
    if swept.messageCount > 0 { log.report(.messageExpired, swept.fields) }
    while try outbox.giveBackSpace() {}
    upkeptAt = time
  }

  /// Sends what recipients have said that they miss; to be repeated whenever receipts were recorded.
  package func heal() throws -> Healing.Pass { try healing.run() }

  /// For how many milliseconds nothing of this pass's will be due.
  package func rest(after pass: Healing.Pass) -> UInt64 {
    let time = now()
    guard let next = pass.next, next > time else {
      return pass.next == nil ? Self.intervalMillisecondsMax : 0
    }
    return min(next.milliseconds - time.milliseconds, Self.intervalMillisecondsMax)
  }
}
