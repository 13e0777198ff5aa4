import GRDB
import GitModel
import Mailboxes
import MessageFormat

/// How often a recipient is sent what it misses: an attempt waits longer than the one before, and what it costs most, all
/// files at once, has a budget of its own that no answer refills.
enum HealingBudget {
  static let attemptCountMax = 8
  /// Before the second attempt, the third, and so on.
  static let delaysMilliseconds: [UInt64] = [10_000, 60_000, 300_000, 1_800_000, 3_600_000]
  static let longestDelayMilliseconds: UInt64 = 3_600_000
  /// A recipient that is behind again before it was well for so long has only said that it was.
  private static let relapseMilliseconds: UInt64 = 300_000
  /// Packs of all files that a recipient gets at once, whatever revisions it names; and one more each hour.
  static let fullPackCountMax = 3
  private static let fullPackMilliseconds: UInt64 = 3_600_000

  /// A stored time that lies further ahead than any delay was stored while the clock was wrong, and is void.
  static func isDue(_ time: Timestamp?, at now: Timestamp) -> Bool {
    guard let time else { return true }
    return time <= now || time > now.adding(milliseconds: longestDelayMilliseconds)
  }

  /// When the attempt after so many is due.
  static func next(after count: Int, at now: Timestamp) -> Timestamp {
    now.adding(milliseconds: delaysMilliseconds[min(count, delaysMilliseconds.count - 1)])
  }

  /// The recipient says that it is well.
  static func restore(
    of mailbox: Mailbox, of stream: Int64, at now: Timestamp, in database: Database
  ) throws {
    try database.cachedStatement(
      sql: """
        UPDATE recipient SET healCount = 0, healAt = NULL
        WHERE stream = ? AND mailbox = ? AND (healAt + ? <= ? OR healAt > ?)
        """
    ).execute(arguments: [
      stream, mailbox, Int64(relapseMilliseconds), now,
      now.adding(milliseconds: longestDelayMilliseconds),
    ])
  }

  /// The recipient is behind elsewhere than before: people have changed what made the last attempt fail. Given up or not, it
  /// is worth one more, no sooner than it would have been. Where nothing is left, that is at once: `takeFullPack` bounds it.
  static func allowAnother(
    for mailbox: Mailbox, of stream: Int64, hasNothing: Bool, in database: Database
  ) throws {
    try database.cachedStatement(
      sql: """
        UPDATE recipient SET healCount = MIN(healCount, ?), healAt = IIF(?, NULL, healAt)
        WHERE stream = ? AND mailbox = ?
        """
    ).execute(arguments: [attemptCountMax - 1, hasNothing, stream, mailbox])
  }

  /// Takes one pack of all files from the budget; `false`: it is used up for now.
  static func takeFullPack(
    for recipient: Recipient, at now: Timestamp, in database: Database
  ) throws -> Bool {
    let arguments: StatementArguments = [recipient.stream.remote, recipient.stream.branch]
    let row = try Row.fetchOne(
      database,
      sql: """
        SELECT recipient.stream, fullPackCount, fullPackAt FROM recipient
        JOIN stream ON stream.id = recipient.stream WHERE remote = ? AND ref = ? AND mailbox = ?
        """, arguments: arguments + [recipient.mailbox])
    guard let row else { return false }
    var count: Int = try row.decode(forColumn: "fullPackCount")
    let last = try row.decode(Timestamp?.self, forColumn: "fullPackAt") ?? now
    // What is ahead was stored while the clock was wrong: it is void, and nothing is known of since when.
    let isVoid = last > now.adding(milliseconds: Limits.clockSkewMillisecondsMax)
    let age = isVoid ? fullPackMilliseconds : now.milliseconds - min(now, last).milliseconds
    count = max(0, count - Int(clamping: age / fullPackMilliseconds))
    guard count < fullPackCountMax else { return false }
    try database.execute(
      sql: """
        UPDATE recipient SET fullPackCount = ?, fullPackAt = ? WHERE stream = ? AND mailbox = ?
        """,
      arguments: [
        count + 1, now, try row.decode(Int64.self, forColumn: "stream"), recipient.mailbox,
      ])
    return true
  }
}

extension Outbox {
  /// A recipient that gets something new starts anew with being healed.
  func forgetHealing(of recipients: [Mailbox], on stream: StreamName) throws(SignerError) {
    guard !recipients.isEmpty else { return }
    try writing { database in
      guard let number = try Self.number(of: stream, in: database) else { return }
      let statement = try database.cachedStatement(
        sql: """
          UPDATE recipient SET healCount = 0, healAt = NULL
          WHERE stream = ? AND mailbox = ? AND healCount > 0
          """)
      for recipient in recipients { try statement.execute(arguments: [number, recipient]) }
    }
  }

  /// Counts an attempt, before it is made; `false`: another process was faster.
  func beginHealing(_ recipient: Recipient, at now: Timestamp) throws(SignerError) -> Bool {
    try writing { database in
      guard let number = try Self.number(of: recipient.stream, in: database) else { return false }
      try database.cachedStatement(
        sql: """
          UPDATE recipient SET healCount = healCount + 1, healAt = ?
          WHERE stream = ? AND mailbox = ? AND healCount = ?
          """
      ).execute(arguments: [
        HealingBudget.next(after: recipient.healCount, at: now), number, recipient.mailbox,
        recipient.healCount,
      ])
      return database.changesCount == 1
    }
  }

  /// Whether a recipient has refused, for this reason, a message that started at the revision.
  func hasRefused(
    _ recipient: Recipient, from revision: ObjectID, as refusal: Refusal
  ) throws(SignerError) -> Bool {
    try reading { database in
      try Bool.fetchOne(
        database,
        sql: """
          SELECT EXISTS (SELECT 1 FROM stream JOIN sent ON sent.stream = stream.id
          JOIN answer ON answer.message = sent.message
          WHERE stream.remote = ? AND stream.ref = ? AND sent.before = ?
          AND answer.recipient = ? AND answer.refusal = ?)
          """,
        arguments: [
          recipient.stream.remote, recipient.stream.branch, revision, recipient.mailbox,
          refusal.rawValue,
        ]) ?? false
    }
  }
}
