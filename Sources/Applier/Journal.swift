import Foundation
import GRDB
import GitModel
import Mailboxes
import MessageFormat

/// What is being done to a checkout, written down before its first file changes: whoever starts next finishes it.
struct Journal {
  struct Entry {
    let checkout: String
    let before: ObjectID?
    let after: ObjectID
    /// The messages that are to be answered as applied.
    let messages: [MessageID]
    /// The files and the branch are done, and the messages answered; the index is left.
    let isAnswered: Bool
  }

  let state: StateDatabase

  static func registerMigrations(in migrator: inout DatabaseMigrator) {
    migrator.registerMigration("journal") { database in
      try database.execute(
        sql: """
          CREATE TABLE journal (
            checkout TEXT PRIMARY KEY, before BLOB, after BLOB NOT NULL, messages BLOB NOT NULL,
            isAnswered INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
          """)
    }
  }

  func begin(
    _ checkout: String, from before: ObjectID?, to after: ObjectID, messages: [MessageID]
  ) throws {
    try state.queue.write { database in
      try database.execute(
        sql: "INSERT INTO journal (checkout, before, after, messages) VALUES (?, ?, ?, ?)",
        arguments: [
          checkout, before.map { Data($0.bytes) }, Data(after.bytes),
          Data(messages.flatMap(\.bytes)),
        ])
    }
  }

  /// Belongs into the transaction in which the messages are answered.
  static func markAnswered(_ checkout: String, in database: Database) throws {
    try database.execute(
      sql: "UPDATE journal SET isAnswered = 1 WHERE checkout = ?", arguments: [checkout])
  }

  /// Not synced: a step that is finished twice is finished.
  func end(_ checkout: String) throws {
    try state.writeUnsynced { database in
      try database.execute(sql: "DELETE FROM journal WHERE checkout = ?", arguments: [checkout])
    }
  }

  func entry(of checkout: String) throws -> Entry? {
    try state.queue.read { database in
      let row = try Row.fetchOne(
        database, sql: "SELECT * FROM journal WHERE checkout = ?", arguments: [checkout])
      guard let row, let after = ObjectID(bytes: row["after"] as Data) else { return nil }
      let names = Array(row["messages"] as Data)
      return Entry(
        checkout: checkout, before: (row["before"] as Data?).flatMap { ObjectID(bytes: $0) },
        after: after,
        messages: stride(from: 0, to: names.count, by: nameByteCount).compactMap {
          MessageID(Array(names[$0..<min($0 + nameByteCount, names.count)]))
        },
        isAnswered: row["isAnswered"])
    }
  }
}
