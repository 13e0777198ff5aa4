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

  /// Takes out, oldest first, what has lain here for so long that every applier would refuse it, at most `countMax`
  /// messages. The store's own clock measures how long; `now` is the wall clock's time.
  package func sweep(
    at now: Timestamp, countMax: Int = sweptCountMax
  ) throws(MailboxError) -> SweptMessages {
    var swept = SweptMessages()
    var files: [MessageID] = []
    // Asked at every idle turn: others need not wait for a write where nothing is to be written.
    guard try reading({ try mayHaveOld(at: now, in: $0) }) else { return swept }
    try writing { database in
      let age = try clock.advance(at: now, in: database)
      guard age > Limits.storedMillisecondsMax else { return }
      let rows = try Row.fetchAll(
        database,
        sql: "SELECT id, byteCount FROM message WHERE storedAt < ? ORDER BY storedAt LIMIT ?",
        arguments: [Int64(clamping: age - Limits.storedMillisecondsMax), countMax])
      for row in rows {
        let id = try row.decode(MessageID.self, forColumn: "id")
        swept.add(
          try Mailbox.fetchAll(
            database, sql: "SELECT mailbox FROM delivery WHERE message = ?", arguments: [id]))
        try Self.removeEverywhere(id.column, in: database)
        if try row.decode(UInt64.self, forColumn: "byteCount") > Self.inlineByteCountMax {
          files.append(id)
        }
      }
    }
    try removeFiles(files)
    return swept
  }

  private func mayHaveOld(at now: Timestamp, in database: Database) throws -> Bool {
    if try clock.isDue(at: now, in: database) { return true }
    let age = try clock.read(in: database)
    guard age > Limits.storedMillisecondsMax else { return false }
    return try Bool.fetchOne(
      database.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM message WHERE storedAt < ?)"),
      arguments: [Int64(clamping: age - Limits.storedMillisecondsMax)]) ?? false
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
  package func remove(_ outgoing: [WaitingMessage]) throws(MailboxError) {
    try writing { database in try Self.remove(outgoing, in: database) }
    try removeFiles(of: outgoing)
  }

  /// The part of it that belongs into a transaction of the caller's; `removeFiles(of:)` follows it.
  package static func remove(_ outgoing: [WaitingMessage], in database: Database) throws {
    for waiting in outgoing {
      for mailbox in waiting.mailboxes {
        try remove(waiting.message.id, from: mailbox, in: database)
      }
    }
  }

  package func removeFiles(of outgoing: [WaitingMessage]) throws(MailboxError) {
    try removeFiles(outgoing.map(\.message).filter(\.isFile).map(\.id))
  }
}
