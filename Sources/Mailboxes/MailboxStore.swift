import Foundation
package import GRDB
package import MessageFormat
import Spool

/// Sealed messages at rest: each stored once, in the mailboxes of its recipients, in order, until it is removed from the
/// last one. Durable before anything is said about it.
///
/// Small messages lie in the database, so that a hundred of them cost one sync; larger ones in a file each.
package struct MailboxStore: Sendable {
  /// From this size on a message is a file: SQLite writes a blob twice, once into its log.
  package static let inlineByteCountMax: UInt64 = 512 * 1_024

  package let state: StateDatabase

  package init(state: StateDatabase) throws {
    self.state = state
    try reconcileFiles()
  }

  package static func registerMigrations(in migrator: inout DatabaseMigrator) {
    migrator.registerMigration("mailboxes") { database in
      try database.execute(
        sql: """
          CREATE TABLE message (
            id BLOB PRIMARY KEY, chunkCount INTEGER NOT NULL, byteCount INTEGER NOT NULL,
            depositor BLOB NOT NULL, receivedAt INTEGER NOT NULL) WITHOUT ROWID;
          CREATE TABLE chunk (
            message BLOB NOT NULL REFERENCES message ON DELETE CASCADE, number INTEGER NOT NULL,
            bytes BLOB NOT NULL, PRIMARY KEY (message, number)) WITHOUT ROWID;
          CREATE TABLE delivery (
            position INTEGER PRIMARY KEY AUTOINCREMENT, mailbox BLOB NOT NULL,
            message BLOB NOT NULL REFERENCES message);
          CREATE INDEX deliveryByMailbox ON delivery (mailbox, position);
          CREATE INDEX deliveryByMessage ON delivery (message);
          """)
    }
  }

  /// A message that is stored whole already needs no second deposit.
  package func contains(_ id: MessageID) throws(MailboxError) -> Bool {
    try reading { database in try Self.contains(id, in: database) }
  }

  private static func contains(_ id: MessageID, in database: Database) throws -> Bool {
    let statement = try database.cachedStatement(
      sql: "SELECT EXISTS (SELECT 1 FROM message WHERE id = ?)")
    return try Bool.fetchOne(statement, arguments: [Data(id.bytes)]) ?? false
  }

  /// The first message of `mailbox` behind `position`.
  package func first(
    in mailbox: Mailbox, after position: UInt64 = 0
  ) throws(MailboxError) -> StoredMessage? {
    try messages(in: mailbox, after: position, countMax: 1).first
  }

  /// The first messages of `mailbox` behind `position`, in order.
  package func messages(
    in mailbox: Mailbox, after position: UInt64 = 0, countMax: Int
  ) throws(MailboxError) -> [StoredMessage] {
    try deliveries(
      of: mailbox, where: "position > ? ORDER BY position LIMIT ?",
      [Int64(clamping: position), countMax])
  }

  /// `nil`: that mailbox does not hold the message.
  package func message(
    _ id: MessageID, in mailbox: Mailbox
  ) throws(MailboxError) -> StoredMessage? {
    try deliveries(of: mailbox, where: "id = ?", [Data(id.bytes)]).first
  }

  private func deliveries(
    of mailbox: Mailbox, where condition: String, _ arguments: StatementArguments
  ) throws(MailboxError) -> [StoredMessage] {
    let rows = try reading { database in
      try Row.fetchAll(
        database.cachedStatement(
          sql: """
            SELECT position, id, chunkCount, byteCount, depositor, receivedAt
            FROM delivery JOIN message ON message.id = delivery.message
            WHERE mailbox = ? AND \(condition)
            """),
        arguments: [Data(mailbox.bytes)] + arguments)
    }
    return rows.map { StoredMessage(row: $0, mailbox: mailbox, state: state) }
  }

  /// Takes a message out of one mailbox; its bytes go with the last one. Repeating it is harmless.
  package func remove(_ message: StoredMessage) throws(MailboxError) {
    try writing { database in try Self.remove(message, in: database) }
    try removeFile(of: message)
  }

  /// The part of `remove` that belongs into a transaction of the caller's; `removeFile(of:)` follows it.
  package static func remove(_ message: StoredMessage, in database: Database) throws {
    let id = Data(message.id.bytes)
    try database.cachedStatement(sql: "DELETE FROM delivery WHERE mailbox = ? AND message = ?")
      .execute(arguments: [Data(message.mailbox.bytes), id])
    try database.cachedStatement(
      sql: """
        DELETE FROM message WHERE id = ?1
        AND NOT EXISTS (SELECT 1 FROM delivery WHERE message = ?1)
        """
    ).execute(arguments: [id])
  }

  package func removeFile(of message: StoredMessage) throws(MailboxError) {
    guard message.isFile else { return }
    try writing { database in
      if try Self.contains(message.id, in: database) { return }
      try state.spool.remove(IncomingMessage.fileName(of: message.id))
    }
  }

  /// A run that was killed between a file's name and its row, or between the row's end and the file's, leaves a file
  /// without a row. A power cut may bring back a row that was removed with its file: a file is durable before its row.
  private func reconcileFiles() throws(MailboxError) {
    try writing { database in
      let names = Set(try state.spool.names())
      for name in names {
        guard let id = IncomingMessage.messageID(ofFile: name),
          try !Self.contains(id, in: database)
        else { continue }
        try state.spool.remove(name)
      }
      let rows = try Data.fetchAll(
        database, sql: "SELECT id FROM message WHERE byteCount > ?",
        arguments: [Int64(Self.inlineByteCountMax)])
      for row in rows {
        guard let id = MessageID(Array(row)), !names.contains(IncomingMessage.fileName(of: id))
        else { continue }
        try database.execute(sql: "DELETE FROM delivery WHERE message = ?", arguments: [row])
        try database.execute(sql: "DELETE FROM message WHERE id = ?", arguments: [row])
      }
    }
  }

  func reading<Value>(_ body: (Database) throws -> Value) throws(MailboxError) -> Value {
    do { return try state.queue.read(body) } catch { throw MailboxError(error) }
  }

  /// For removals: what is removed once more, or collected once more, does no harm.
  func writing<Value>(_ body: (Database) throws -> Value) throws(MailboxError) -> Value {
    do { return try state.writeUnsynced(body) } catch { throw MailboxError(error) }
  }
}

extension MailboxError {
  /// GRDB throws errors of SQLite only, as long as the statements are ours.
  init(_ error: any Error) {
    switch error {
    case let error as MailboxError: self = error
    case let error as SpoolError: self = .spool(error)
    case let error as DatabaseError: self = .database(error)
    default: self = .database(DatabaseError(message: "\(error)"))
    }
  }
}
