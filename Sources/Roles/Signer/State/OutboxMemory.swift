import GRDB
import Mailboxes
import MessageFormat

/// How much the signer remembers of what it has sent.
package struct OutboxMemory: Sendable {
  /// Of a stream, the messages up to so many before its last one: a recipient that is at an older revision gets a pack
  /// instead of a patch.
  package var messageCountMax: UInt64 = 10_000
  /// Of a stream's messages, as many as have so many answers together,
  package var answerCountMax: UInt64 = 100_000
  /// and of these answers what is younger than any that can still come.
  package var answerMillisecondsMax = Limits.storedMillisecondsMax

  package init() {}
}

extension Outbox {
  /// However many recipients they have.
  private static let answeredMessageCountMin: UInt64 = 20
  /// Looked at for their age, with each new one.
  private static let agedCountMax = 100

  func forget(behind message: Message, of stream: Int64, in database: Database) throws {
    try forgetAnswers(behind: message, of: stream, in: database)
    guard message.sequence > memory.messageCountMax else { return }
    let arguments: StatementArguments = [stream, message.sequence - memory.messageCountMax]
    let old = """
      FROM sent WHERE stream = ? AND sequence <= ?
      AND NOT EXISTS (SELECT 1 FROM message WHERE message.id = sent.message)
      """
    try database.execute(
      sql: "DELETE FROM answer WHERE message IN (SELECT message \(old))", arguments: arguments)
    try database.execute(sql: "DELETE \(old)", arguments: arguments)
  }

  /// Forgets settled answers, except the newest of each recipient. The triggers forget an answer that is settled later.
  private func forgetAnswers(
    behind message: Message, of stream: Int64, in database: Database
  ) throws {
    let recipientCount =
      try UInt64.fetchOne(
        database.cachedStatement(sql: "SELECT COUNT(*) FROM recipient WHERE stream = ?"),
        arguments: [stream]) ?? 0
    let forgotten =
      try UInt64.fetchOne(
        database.cachedStatement(sql: "SELECT forgotten FROM stream WHERE id = ?"),
        arguments: [stream]) ?? 0
    let kept = max(
      Self.answeredMessageCountMin, memory.answerCountMax / max(1, recipientCount))
    let age = min(message.createdAt.milliseconds, memory.answerMillisecondsMax)
    let aged =
      try UInt64.fetchOne(
        database.cachedStatement(
          sql: """
            SELECT MAX(sequence) FROM (
              SELECT sequence, createdAt FROM sent WHERE stream = ? AND sequence > ?
              ORDER BY sequence LIMIT \(Self.agedCountMax))
            WHERE createdAt < ?
            """),
        arguments: [stream, forgotten, message.createdAt.milliseconds - age]) ?? 0
    let limit = max(aged, message.sequence > kept ? message.sequence - kept : 0)
    guard limit > forgotten else { return }
    try database.cachedStatement(
      sql: """
        DELETE FROM answer WHERE NOT \(Self.isOpen) AND message IN (
          SELECT message FROM sent WHERE stream = ? AND sequence > ? AND sequence <= ?)
        AND NOT EXISTS (
          SELECT 1 FROM recipient WHERE recipient.stream = answer.stream
          AND recipient.mailbox = answer.recipient AND recipient.newest = answer.message)
        """
    ).execute(arguments: [stream, forgotten, limit])
    try database.cachedStatement(sql: "UPDATE stream SET forgotten = ? WHERE id = ?")
      .execute(arguments: [limit, stream])
  }
}
