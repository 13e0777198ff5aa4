import Foundation
import GRDB
import GitModel
import Mailboxes
import MessageFormat

/// What is being done to a checkout, written down before its first file changes: the next start finishes it.
struct Journal {
  struct Entry {
    let checkout: String
    let before: ObjectID?
    let after: ObjectID
    /// The verified messages that are to be answered as applied.
    let messages: [(id: MessageID, message: Message)]
    let phase: Phase
    /// Why the step has failed, for people.
    let reason: String?

    var shipsSubmodules: Bool { messages.last?.message.payload?.submodules != nil }

    /// The step writes contents in the place of pointers.
    var shipsLargeFiles: Bool { messages.contains { $0.message.payload?.largeFiles != nil } }
  }

  /// How far a step had come for certain when it was written; it may be further.
  enum Phase: String {
    /// What people and programs use may be as before, as after, or in between.
    case activating
    /// The revision after stands; its messages are not answered yet.
    case activated
    /// The revision after stood, and failed: the revision before is to stand again.
    case failed
  }

  let state: StateDatabase

  static func registerMigrations(in migrator: inout DatabaseMigrator) {
    migrator.registerMigration("journal") { database in
      try database.execute(
        sql: """
          CREATE TABLE journal (
            checkout TEXT PRIMARY KEY, before BLOB, after BLOB NOT NULL,
            phase TEXT NOT NULL, reason TEXT) WITHOUT ROWID;
          CREATE TABLE journalMessage (
            checkout TEXT NOT NULL REFERENCES journal ON DELETE CASCADE, number INTEGER NOT NULL,
            message BLOB NOT NULL, body BLOB NOT NULL,
            PRIMARY KEY (checkout, number)) WITHOUT ROWID;
          """)
    }
  }

  /// In the place of a step whose checkout was never seen again.
  func begin(
    _ checkout: String, from before: ObjectID?, to after: ObjectID, patches: [CheckedPatch]
  ) throws {
    try state.queue.write { database in
      try Self.end(checkout, in: database)
      try database.cachedStatement(
        sql: "INSERT INTO journal (checkout, before, after, phase) VALUES (?, ?, ?, ?)"
      ).execute(arguments: [
        checkout, before.map { Data($0.bytes) }, Data(after.bytes), Phase.activating.rawValue,
      ])
      let statement = try database.cachedStatement(
        sql: "INSERT INTO journalMessage VALUES (?, ?, ?, ?)")
      for (number, patch) in patches.enumerated() {
        try statement.execute(arguments: [
          checkout, number, Data(patch.stored.id.bytes), Data(patch.message.encoded()),
        ])
      }
    }
  }

  /// Belongs into the transaction in which the messages are answered.
  static func end(_ checkout: String, in database: Database) throws {
    try database.cachedStatement(sql: "DELETE FROM journal WHERE checkout = ?")
      .execute(arguments: [checkout])
  }

  /// Not synced: the checkout itself shows it as well.
  func mark(_ checkout: String, _ phase: Phase) throws {
    try state.writeUnsynced { database in
      try database.cachedStatement(sql: "UPDATE journal SET phase = ? WHERE checkout = ?")
        .execute(arguments: [phase.rawValue, checkout])
    }
  }

  func fail(_ checkout: String, _ reason: String) throws {
    try state.queue.write { database in
      try database.cachedStatement(
        sql: "UPDATE journal SET phase = ?, reason = ? WHERE checkout = ?"
      ).execute(arguments: [Phase.failed.rawValue, reason, checkout])
    }
  }

  /// Not synced: a step that is finished twice is finished.
  func end(_ checkout: String) throws {
    try state.writeUnsynced { database in try Self.end(checkout, in: database) }
  }

  /// The checkouts that have an entry, by path.
  func checkouts() throws -> Set<String> {
    try state.reading {
      try String.fetchSet($0.cachedStatement(sql: "SELECT checkout FROM journal"))
    }
  }

  func entry(of checkout: String) throws -> Entry? {
    try state.reading { database in
      let row = try Row.fetchOne(
        database.cachedStatement(sql: "SELECT * FROM journal WHERE checkout = ?"),
        arguments: [checkout])
      guard let row, let after = ObjectID(bytes: row["after"] as Data) else { return nil }
      let rows = try Row.fetchAll(
        database.cachedStatement(
          sql: "SELECT message, body FROM journalMessage WHERE checkout = ? ORDER BY number"),
        arguments: [checkout])
      return Entry(
        checkout: checkout, before: (row["before"] as Data?).flatMap { ObjectID(bytes: $0) },
        after: after,
        messages: try rows.compactMap { row in
          guard let id = MessageID(Array(row["message"] as Data)) else { return nil }
          return (id, try Message(decoding: Array(row["body"] as Data)))
        },
        phase: Phase(rawValue: row["phase"]) ?? .activating, reason: row["reason"])
    }
  }
}
