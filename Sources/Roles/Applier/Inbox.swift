import Foundation
import GRDB
import GitModel
package import Mailboxes
import MessageFormat

/// What an applier must not forget: the messages that wait, how often each was tried, how far each stream was seen.
package struct Inbox: Sendable {
  /// Tried this often without an answer, a message is set aside: it ended the program each time. Not at the second time:
  /// a machine that is switched off, or out of memory, ends it as well.
  static let attemptCountMax = 6
  /// An attempt that took longer than its deadline counts for more: there the message is the cause, and two are enough.
  static let overdueAttemptCount = 3

  /// How far a signer's stream was seen.
  struct Seen {
    let sequence: UInt64
    let digest: ContentDigest
  }

  let store: MailboxStore
  let mailbox: Mailbox

  static func registerMigrations(in migrator: inout DatabaseMigrator) {
    migrator.registerMigration("inbox") { database in
      try database.execute(
        sql: """
          CREATE TABLE seen (
            signer BLOB NOT NULL, remote TEXT NOT NULL, ref TEXT NOT NULL,
            sequence INTEGER NOT NULL, digest BLOB NOT NULL,
            PRIMARY KEY (signer, remote, ref)) WITHOUT ROWID;
          CREATE TABLE attempt (message BLOB PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
          """)
    }
    registerRecords(in: &migrator)
  }

  /// The first messages in order, without those that wait for a checkout; where one was tried before, it comes alone.
  func next(countMax: Int, after faults: CheckoutFaults) throws -> [StoredMessage] {
    let waiting = try store.messages(in: mailbox, countMax: countMax + faults.heldCount)
    var fresh: [StoredMessage] = []
    for message in waiting where !faults.isHeld(message.id) {
      if try attemptCount(of: message.id) > 0 { return fresh.isEmpty ? [message] : fresh }
      fresh.append(message)
    }
    return fresh
  }

  func message(_ id: MessageID) throws -> StoredMessage? {
    try store.message(id, in: mailbox)
  }

  func attemptCount(of id: MessageID) throws -> Int {
    try store.state.queue.read { database in
      try Int.fetchOne(
        database.cachedStatement(sql: "SELECT count FROM attempt WHERE message = ?"),
        arguments: [Data(id.bytes)]) ?? 0
    }
  }

  /// Outlives the program before the first byte of them is opened; it is crashes of ours that are counted.
  func countAttempt(of messages: [StoredMessage]) throws {
    try store.state.writeUnsynced { database in
      let statement = try database.cachedStatement(
        sql: """
          INSERT INTO attempt (message, count) VALUES (?, 1)
          ON CONFLICT (message) DO UPDATE SET count = count + 1
          """)
      for message in messages { try statement.execute(arguments: [Data(message.id.bytes)]) }
    }
  }

  /// The program ends, since these took longer than their deadline.
  func countOverdue(_ messages: [StoredMessage]) throws {
    try store.state.queue.write { database in
      let statement = try database.cachedStatement(
        sql: "UPDATE attempt SET count = count + ? WHERE message = ?")
      for message in messages {
        try statement.execute(
          arguments: [Self.overdueAttemptCount - 1, Data(message.id.bytes)])
      }
    }
  }

  /// For messages that ended neither in an answer nor in a crash: the machine failed, and they are tried again.
  func forgetAttempts(of messages: [StoredMessage]) throws {
    guard !messages.isEmpty else { return }
    try store.state.writeUnsynced { database in
      for message in messages { try Self.forgetAttempts(of: message.id, in: database) }
    }
  }

  /// A program that is told to stop in the middle of a message has not failed at it.
  package static func excuseAttempts(in store: MailboxStore) throws {
    try store.state.queue.write { database in
      try database.execute(sql: "UPDATE attempt SET count = count - 1 WHERE count > 0")
    }
  }

  static func forgetAttempts(of id: MessageID, in database: Database) throws {
    try database.cachedStatement(sql: "DELETE FROM attempt WHERE message = ?")
      .execute(arguments: [Data(id.bytes)])
  }

  /// `nil`: nothing of this signer's stream was seen yet.
  func seen(of message: Message) throws -> Seen? {
    try store.state.queue.read { database in
      let row = try Row.fetchOne(
        database.cachedStatement(
          sql: "SELECT sequence, digest FROM seen WHERE signer = ? AND remote = ? AND ref = ?"),
        arguments: [
          Data(message.signer.bytes), message.stream.remote.text, message.stream.branch.fullName,
        ])
      guard let row, let digest = ContentDigest(Array(row["digest"] as Data)) else { return nil }
      return Seen(sequence: UInt64(row["sequence"] as Int64), digest: digest)
    }
  }

  static func recordSeen(
    _ message: Message, digest: ContentDigest, in database: Database
  ) throws {
    try database.cachedStatement(
      sql: """
        INSERT INTO seen (signer, remote, ref, sequence, digest) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (signer, remote, ref) DO UPDATE SET sequence = ?4, digest = ?5
        WHERE sequence < ?4
        """
    ).execute(arguments: [
      Data(message.signer.bytes), message.stream.remote.text, message.stream.branch.fullName,
      Int64(message.sequence),
      Data(digest.bytes),
    ])
  }
}
