import Foundation
package import GRDB
package import MessageFormat
import Spool

extension MailboxStore {
  /// Takes a message out of one mailbox; its bytes go with the last one. Repeating it is harmless.
  package func remove(_ message: StoredMessage) throws(MailboxError) {
    try writing { database in try Self.remove(message, in: database) }
    try removeFile(of: message)
  }

  /// The part of `remove` that belongs into a transaction of the caller's; `removeFile(of:)` follows it.
  package static func remove(_ message: StoredMessage, in database: Database) throws {
    try remove(message.id, from: message.mailbox, in: database)
  }

  package static func remove(_ id: MessageID, from mailbox: Mailbox, in database: Database) throws {
    let id = Data(id.bytes)
    try database.cachedStatement(sql: "DELETE FROM delivery WHERE mailbox = ? AND message = ?")
      .execute(arguments: [Data(mailbox.bytes), id])
    try database.cachedStatement(
      sql: """
        DELETE FROM message WHERE id = ?1
        AND NOT EXISTS (SELECT 1 FROM delivery WHERE message = ?1)
        """
    ).execute(arguments: [id])
  }

  package func removeFile(of message: StoredMessage) throws(MailboxError) {
    if message.isFile { try removeFiles([message.id]) }
  }

  /// Of messages that may have lost their last mailbox.
  func removeFiles(_ ids: [MessageID]) throws(MailboxError) {
    guard !ids.isEmpty else { return }
    try writing { database in
      for id in ids where try !Self.contains(id, in: database) {
        try state.spool.remove(MessageWriter.fileName(of: id))
      }
    }
  }

  package static let sweptCountMax = 200

  /// Takes out, oldest first, what nobody could accept any more at `now`, at most `countMax` messages; answers how many
  /// they were.
  package func sweep(
    at now: Timestamp, countMax: Int = sweptCountMax
  ) throws(MailboxError) -> Int {
    let time = Timestamp(
      milliseconds: now.milliseconds - min(now.milliseconds, Limits.storedMillisecondsMax))
    let swept = try writing { database in
      let rows = try Row.fetchAll(
        database,
        sql: "SELECT id, byteCount FROM message WHERE receivedAt < ? ORDER BY receivedAt LIMIT ?",
        arguments: [Int64(clamping: time.milliseconds), countMax])
      for row in rows { try Self.removeEverywhere(row["id"], in: database) }
      return rows
    }
    let files = swept.filter { ($0["byteCount"] as Int64) > Int64(Self.inlineByteCountMax) }
    try removeFiles(files.compactMap { MessageID(Array($0["id"] as Data)) })
    return swept.count
  }
}

extension MailboxStore {
  /// Takes a message out of every mailbox; nothing happens where it is in none.
  package func discard(_ id: MessageID) throws(MailboxError) {
    try writing { database in try Self.removeEverywhere(Data(id.bytes), in: database) }
    try removeFiles([id])
  }

  static func removeEverywhere(_ id: Data, in database: Database) throws {
    try database.execute(sql: "DELETE FROM delivery WHERE message = ?", arguments: [id])
    try database.execute(sql: "DELETE FROM message WHERE id = ?", arguments: [id])
  }

  /// What a carrier has taken.
  package func remove(_ outgoing: WaitingMessage) throws(MailboxError) {
    try writing { database in
      for mailbox in outgoing.mailboxes {
        try Self.remove(outgoing.message.id, from: mailbox, in: database)
      }
    }
    try removeFile(of: outgoing.message)
  }
}
