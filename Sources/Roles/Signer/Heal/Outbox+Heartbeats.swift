import GRDB
import GitModel
import Mailboxes
import MessageFormat
import Sodium

/// A stream, as a heartbeat tells of it.
struct HeartbeatStream: Decodable, FetchableRecord {
  /// Of the table `stream`.
  let id: Int64
  private let remote: RemoteName
  private let ref: BranchName
  private let sequence: UInt64
  private let revision: ObjectID
  private let tree: ObjectID
  let heartbeatAt: Timestamp?

  var name: StreamName { StreamName(remote: remote, branch: ref) }

  /// `isFollowed`: only the revision itself does.
  func head(isFollowed: Bool) -> Heartbeat.Stream {
    Heartbeat.Stream(
      name, sequence: sequence, revision: revision, tree: isFollowed ? nil : tree)
  }
}

/// A recipient that a stream does not know yet, or under another name.
struct HeartbeatNewcomer {
  let mailbox: Mailbox
  let name: String
  let stream: Int64

  init(_ identity: PublicIdentity, of stream: Int64) {
    (mailbox, name, self.stream) = (identity.mailbox, identity.name.text, stream)
  }
}

extension Outbox {
  struct HeartbeatRecipient {
    let name: String
    /// It has messages that no carrier has taken yet.
    let isWaiting: Bool
  }

  func heartbeatStreams() throws(SignerError) -> [HeartbeatStream] {
    try reading { database in
      try HeartbeatStream.fetchAll(
        database.cachedStatement(
          sql: "SELECT id, remote, ref, sequence, revision, tree, heartbeatAt FROM stream"))
    }
  }

  /// By the stream's number.
  func heartbeatRecipients() throws(SignerError) -> [Int64: [Mailbox: HeartbeatRecipient]] {
    try reading { database in
      var recipients: [Int64: [Mailbox: HeartbeatRecipient]] = [:]
      let rows = try Row.fetchCursor(
        database.cachedStatement(sql: "SELECT stream, mailbox, name, waitingCount FROM recipient"))
      while let row = try rows.next() {
        let mailbox: Mailbox = try row.decode(atIndex: 1)
        recipients[try row.decode(atIndex: 0), default: [:]][mailbox] = HeartbeatRecipient(
          name: try row.decode(atIndex: 2), isWaiting: try row.decode(Int.self, atIndex: 3) > 0)
      }
      return recipients
    }
  }

  /// Returns the counter of the heartbeats that follow: above every one before, and, where this state does not know them,
  /// above all that were made before this time.
  ///
  /// A recipient that never got a message is known from its first heartbeat on, so that its answer counts.
  func beginHeartbeat(
    _ newcomers: [HeartbeatNewcomer], at time: Timestamp
  ) throws(SignerError) -> UInt64 {
    try writing { database in
      for newcomer in newcomers {
        try Self.register(newcomer.mailbox, newcomer.name, of: newcomer.stream, in: database)
      }
      try database.execute(
        sql: """
          INSERT INTO heartbeat (id, counter) VALUES (1, ?1)
          ON CONFLICT (id) DO UPDATE SET counter = MAX(counter + 1, ?1)
          """, arguments: [max(1, time.milliseconds)])
      return try Self.heartbeatCounter(in: database)
    }
  }

  /// 0: there was no heartbeat yet.
  static func heartbeatCounter(in database: Database) throws -> UInt64 {
    try UInt64.fetchOne(database.cachedStatement(sql: "SELECT counter FROM heartbeat")) ?? 0
  }

  func endHeartbeat(
    _ sealed: [MessageWriter], of streams: [HeartbeatStream], at time: Timestamp
  ) throws {
    try store.commit(sealed, at: time) { database in
      let statement = try database.cachedStatement(
        sql: "UPDATE stream SET heartbeatAt = ? WHERE id = ?")
      for stream in streams { try statement.execute(arguments: [time, stream.id]) }
    }
  }

  /// The place of a part of the heartbeats in each recipient's mailbox.
  func heartbeatSlot(of part: UInt32) throws(SignerError) -> Slot {
    try writing { database in
      try database.execute(
        sql: "INSERT OR IGNORE INTO heartbeatSlot (part, slot) VALUES (?, ?)",
        arguments: [part, Slot.random()])
      let stored = try Slot.fetchOne(
        database, sql: "SELECT slot FROM heartbeatSlot WHERE part = ?", arguments: [part])
      guard let stored else { throw SignerError.state("the place of heartbeats is damaged") }
      return stored
    }
  }
}
