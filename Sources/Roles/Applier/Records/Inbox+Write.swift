import GRDB
import GitModel
import Mailboxes
import MessageFormat

// What an applier remembers of its streams, written in the transaction of the answers.
extension Inbox {
  /// Over all streams; the oldest are forgotten.
  private static let revisionCountMax = 100_000

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
      message.signer, message.stream.remote, message.stream.branch, message.sequence, digest,
    ])
  }

  /// A checkout is where a message leads.
  static func recordApplied(_ message: Message, in database: Database) throws {
    func insert(_ revision: ObjectID, orElse resolution: String) throws {
      try database.cachedStatement(
        sql: """
          INSERT OR \(resolution) INTO applied (signer, remote, ref, revision, sequence)
          VALUES (?, ?, ?, ?, ?)
          """
      ).execute(arguments: [
        message.signer, message.stream.remote, message.stream.branch, revision, message.sequence,
      ])
    }
    if let before = message.before { try insert(before.revision, orElse: "IGNORE") }
    try insert(message.after.revision, orElse: "REPLACE")
    try database.cachedStatement(
      sql: "DELETE FROM applied WHERE number <= (SELECT MAX(number) FROM applied) - ?"
    ).execute(arguments: [revisionCountMax])
  }

  static func recordRefusal(
    _ reason: Refused, of stream: StreamName, at time: Timestamp, in database: Database
  ) throws {
    try RefusalRecord(
      remote: stream.remote, ref: stream.branch, name: reason.refusal.rawValue,
      detail: reason.detail, at: time
    ).insert(database)
  }

  /// What the message leads to has failed: it is refused until another revision is applied.
  static func recordRejected(
    _ reason: Refused, _ message: Message, at time: Timestamp, in database: Database
  ) throws {
    try RejectedRecord(
      remote: message.stream.remote, ref: message.stream.branch,
      revision: message.after.revision, sequence: message.sequence,
      name: reason.refusal.rawValue, detail: reason.detail, at: time
    ).insert(database)
  }

  static func clearRejected(of stream: StreamName, in database: Database) throws {
    try database.cachedStatement(sql: "DELETE FROM rejected WHERE remote = ? AND ref = ?")
      .execute(arguments: [stream.remote, stream.branch])
  }

  /// A refusal that belongs to no checkout; a row for each name, since a peer can cause any number.
  static func recordStray(
    _ reason: Refused, at time: Timestamp, in database: Database
  ) throws {
    try database.cachedStatement(
      sql: """
        INSERT INTO strayRefusal (name, detail, at, count) VALUES (?1, ?2, ?3, 1)
        ON CONFLICT (name) DO UPDATE SET detail = ?2, at = ?3, count = count + 1
        """
    ).execute(arguments: [reason.refusal.rawValue, reason.detail, time])
  }

  /// What it says of these of its streams.
  static func recordHeartbeat(
    _ heartbeat: Heartbeat, of streams: [Heartbeat.Stream], received moment: Moment,
    in database: Database
  ) throws {
    let number = try Int64.fetchOne(
      database.cachedStatement(sql: "SELECT IFNULL(MAX(number), 0) + 1 FROM heartbeat"))
    // Never longer than it says, and not beyond the end that it names, where our clock agrees.
    let lifetime = min(
      heartbeat.expiresAt.milliseconds - heartbeat.createdAt.milliseconds,
      heartbeat.expiresAt.milliseconds - min(heartbeat.expiresAt, moment.wall).milliseconds)
    // Prepared once: there may be a thousand streams.
    let statement = try database.cachedStatement(
      sql: """
        INSERT OR REPLACE INTO heartbeat (signer, remote, ref, number, sequence, revision, tree,
          counter, createdAt, receivedAt, boot, sinceBoot, lifetime)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """)
    for stream in streams {
      try statement.execute(arguments: [
        heartbeat.signer, stream.name.remote, stream.name.branch, number ?? 1, stream.sequence,
        stream.revision, stream.tree, heartbeat.counter, heartbeat.createdAt, moment.wall,
        moment.sinceBoot.boot, moment.sinceBoot.milliseconds, lifetime,
      ])
    }
  }

  static func recordSlot(
    _ slot: Slot, of part: UInt32, for signer: Mailbox, in database: Database
  ) throws {
    try database.cachedStatement(
      sql: "INSERT OR IGNORE INTO reportSlot (signer, part, slot) VALUES (?, ?, ?)"
    ).execute(arguments: [signer, part, slot])
  }

  static func recordSlot(
    _ slot: Slot, of stream: StreamName, for signer: Mailbox, in database: Database
  ) throws {
    try database.cachedStatement(
      sql: "INSERT OR IGNORE INTO answerSlot (signer, remote, ref, slot) VALUES (?, ?, ?, ?)"
    ).execute(arguments: [signer, stream.remote, stream.branch, slot])
  }

  /// `since`: of the first time that it is recorded, until it is cleared.
  static func recordBlock(
    _ reason: BlockReason, detail: String, of stream: StreamName, at time: Timestamp,
    in database: Database
  ) throws {
    try database.cachedStatement(
      sql: """
        INSERT INTO block (remote, ref, reason, detail, since) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (remote, ref) DO UPDATE SET reason = ?3, detail = ?4
        """
    ).execute(arguments: [stream.remote, stream.branch, reason, detail, time])
  }

  static func clearBlock(of stream: StreamName, in database: Database) throws {
    try database.cachedStatement(sql: "DELETE FROM block WHERE remote = ? AND ref = ?")
      .execute(arguments: [stream.remote, stream.branch])
  }

  func clearBlock(of stream: StreamName) throws {
    try store.state.writeUnsynced { try Self.clearBlock(of: stream, in: $0) }
  }

  /// Since when heartbeats are expected; what was written by a clock that was ahead is written anew.
  func watch(_ checkouts: [CheckoutSettings], since moment: Moment) throws {
    var missing: [WatchedRecord] = []
    for checkout in checkouts {
      let known = try watched(checkout.stream)
      if known.flatMap({ moment.milliseconds(since: $0.moment) }) == nil {
        missing.append(WatchedRecord(checkout.stream, since: moment))
      }
    }
    guard !missing.isEmpty else { return }
    try store.state.writeUnsynced { database in
      for record in missing { try record.insert(database) }
    }
  }
}
