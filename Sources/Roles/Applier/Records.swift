import Foundation
import GRDB
import GitModel
import Mailboxes
import MessageFormat

// What an applier remembers of its streams: where they led, what the newest heartbeat said, what was refused.
extension Inbox {
  /// Over all streams; the oldest are forgotten.
  private static let revisionCountMax = 100_000

  static func registerRecords(in migrator: inout DatabaseMigrator) {
    migrator.registerMigration("records") { database in
      try database.execute(
        sql: """
          CREATE TABLE applied (
            number INTEGER PRIMARY KEY AUTOINCREMENT, signer BLOB NOT NULL, remote TEXT NOT NULL,
            ref TEXT NOT NULL, revision BLOB NOT NULL, sequence INTEGER NOT NULL,
            UNIQUE (remote, ref, revision));
          CREATE INDEX appliedByStream ON applied (signer, remote, ref, number);
          CREATE TABLE heartbeat (
            signer BLOB NOT NULL, remote TEXT NOT NULL, ref TEXT NOT NULL,
            sequence INTEGER NOT NULL, revision BLOB NOT NULL, createdAt INTEGER NOT NULL,
            expiresAt INTEGER NOT NULL, slot BLOB NOT NULL,
            PRIMARY KEY (signer, remote, ref)) WITHOUT ROWID;
          CREATE TABLE refusal (
            remote TEXT NOT NULL, ref TEXT NOT NULL, name TEXT NOT NULL, detail TEXT NOT NULL,
            at INTEGER NOT NULL, PRIMARY KEY (remote, ref)) WITHOUT ROWID;
          CREATE TABLE watched (
            remote TEXT NOT NULL, ref TEXT NOT NULL, since INTEGER NOT NULL,
            PRIMARY KEY (remote, ref)) WITHOUT ROWID;
          """)
    }
  }

  // MARK: - Written with the answers

  static func record(
    _ outcome: Outcome, of route: Route, at time: Timestamp, in database: Database
  ) throws {
    guard let message = outcome.message else { return }
    switch outcome.outcome {
    case .applied: try recordApplied(message, in: database)
    case .refused(let refusal, let detail):
      // Of other streams a signer could invent any number.
      guard route.leads(message.stream) else { return }
      try database.cachedStatement(sql: "INSERT OR REPLACE INTO refusal VALUES (?, ?, ?, ?, ?)")
        .execute(arguments: [
          message.stream.remote.text, message.stream.branch.fullName, refusal.rawValue, detail,
          Int64(time.milliseconds),
        ])
    case .behind, .current, .blocked: break
    }
  }

  private static func recordApplied(_ message: Message, in database: Database) throws {
    func insert(_ revision: ObjectID, orElse resolution: String) throws {
      try database.cachedStatement(
        sql: """
          INSERT OR \(resolution) INTO applied (signer, remote, ref, revision, sequence)
          VALUES (?, ?, ?, ?, ?)
          """
      ).execute(arguments: [
        Data(message.signer.bytes), message.stream.remote.text, message.stream.branch.fullName,
        Data(revision.bytes),
        Int64(message.sequence),
      ])
    }
    if let before = message.before { try insert(before.revision, orElse: "IGNORE") }
    try insert(message.after.revision, orElse: "REPLACE")
    try database.cachedStatement(
      sql: "DELETE FROM applied WHERE number <= (SELECT MAX(number) FROM applied) - ?"
    ).execute(arguments: [revisionCountMax])
  }

  static func record(_ heartbeat: Heartbeat, slot: Slot, in database: Database) throws {
    try database.cachedStatement(
      sql: "INSERT OR REPLACE INTO heartbeat VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    ).execute(arguments: [
      Data(heartbeat.signer.bytes), heartbeat.stream.remote.text, heartbeat.stream.branch.fullName,
      Int64(heartbeat.sequence), Data(heartbeat.revision.bytes),
      Int64(heartbeat.createdAt.milliseconds), Int64(heartbeat.expiresAt.milliseconds),
      Data(slot.bytes),
    ])
  }

  /// Since when heartbeats are expected.
  func watch(_ checkouts: [CheckoutSettings], since time: Timestamp) throws {
    try store.state.writeUnsynced { database in
      for checkout in checkouts {
        try database.execute(
          sql: "INSERT OR IGNORE INTO watched VALUES (?, ?, ?)",
          arguments: [
            checkout.stream.remote.text, checkout.stream.branch.fullName, Int64(time.milliseconds),
          ])
      }
    }
  }

  // MARK: - Read

  /// A heartbeat as it is remembered.
  struct Heard {
    let signer: Mailbox
    let sequence: UInt64
    let revision: ObjectID
    let createdAt: Timestamp
    let expiresAt: Timestamp
  }

  /// Who has led a checkout here to a revision, or from it; `nil`: nobody.
  func sender(
    of revision: ObjectID, on stream: StreamName
  ) throws -> Mailbox? {
    try store.state.queue.read { database in
      try Data.fetchOne(
        database,
        sql: "SELECT signer FROM applied WHERE remote = ? AND ref = ? AND revision = ?",
        arguments: [stream.remote.text, stream.branch.fullName, Data(revision.bytes)])
    }.flatMap { Mailbox(Array($0)) }
  }

  /// The newest of any of these signers.
  func heard(
    of stream: StreamName, by signers: Set<Mailbox>
  ) throws -> Heard? {
    let rows = try store.state.queue.read { database in
      try Row.fetchAll(
        database,
        sql: "SELECT * FROM heartbeat WHERE remote = ? AND ref = ? ORDER BY createdAt DESC",
        arguments: [stream.remote.text, stream.branch.fullName])
    }
    for row in rows {
      guard let signer = Mailbox(Array(row["signer"] as Data)), signers.contains(signer),
        let revision = ObjectID(bytes: row["revision"] as Data)
      else { continue }
      return Heard(
        signer: signer, sequence: UInt64(row["sequence"] as Int64), revision: revision,
        createdAt: Timestamp(milliseconds: UInt64(row["createdAt"] as Int64)),
        expiresAt: Timestamp(milliseconds: UInt64(row["expiresAt"] as Int64)))
    }
    return nil
  }

  /// The last message of a stream that was applied.
  func lastApplied(
    of stream: StreamName, by signer: Mailbox
  ) throws -> (sequence: UInt64, revision: ObjectID)? {
    let row = try store.state.queue.read { database in
      try Row.fetchOne(
        database,
        sql: """
          SELECT sequence, revision FROM applied WHERE signer = ? AND remote = ? AND ref = ?
          ORDER BY number DESC LIMIT 1
          """, arguments: [Data(signer.bytes), stream.remote.text, stream.branch.fullName])
    }
    guard let row, let revision = ObjectID(bytes: row["revision"] as Data) else { return nil }
    return (UInt64(row["sequence"] as Int64), revision)
  }

  /// The one that this stream's answers have, or a new one; random, so that it tells a carrier nothing.
  func slot(of heartbeat: Heartbeat) throws -> Slot {
    let stored = try store.state.queue.read { database in
      try Data.fetchOne(
        database, sql: "SELECT slot FROM heartbeat WHERE signer = ? AND remote = ? AND ref = ?",
        arguments: [
          Data(heartbeat.signer.bytes), heartbeat.stream.remote.text,
          heartbeat.stream.branch.fullName,
        ])
    }
    if let slot = stored.flatMap({ Slot(Array($0)) }) { return slot }
    var generator = SystemRandomNumberGenerator()
    let bytes = (0..<nameByteCount).map { _ in UInt8.random(in: 0...255, using: &generator) }
    guard let slot = Slot(bytes) else { preconditionFailure("32 bytes are a name") }
    return slot
  }

  func watchedSince(_ stream: StreamName) throws -> Timestamp? {
    try store.state.queue.read { database in
      try Int64.fetchOne(
        database, sql: "SELECT since FROM watched WHERE remote = ? AND ref = ?",
        arguments: [stream.remote.text, stream.branch.fullName])
    }.map { Timestamp(milliseconds: UInt64($0)) }
  }

  func lastRefusal(
    of stream: StreamName
  ) throws -> (name: String, detail: String, at: Timestamp)? {
    let row = try store.state.queue.read { database in
      try Row.fetchOne(
        database, sql: "SELECT name, detail, at FROM refusal WHERE remote = ? AND ref = ?",
        arguments: [stream.remote.text, stream.branch.fullName])
    }
    return row.map {
      ($0["name"], $0["detail"], Timestamp(milliseconds: UInt64($0["at"] as Int64)))
    }
  }

  /// How many messages wait.
  func count() throws -> Int {
    try store.state.queue.read { database in
      try Int.fetchOne(
        database, sql: "SELECT COUNT(*) FROM delivery WHERE mailbox = ?",
        arguments: [Data(mailbox.bytes)]) ?? 0
    }
  }
}
