import GRDB
import GitModel
import Mailboxes
import MessageFormat

/// One verified report on its way into the state, within a transaction: a word on each stream that it names.
struct ReportRecord {
  private let report: Report
  private let now: Timestamp
  private let database: Database

  init(_ report: Report, at now: Timestamp, in database: Database) {
    (self.report, self.now, self.database) = (report, now, database)
  }

  /// In the order of its streams.
  func write() throws -> [ReceiptReader.Reading] {
    guard try report.counter <= Outbox.heartbeatCounter(in: database) else {
      return [.mismatch(field: "counter")]
    }
    return try report.streams.map { try write($0) }
  }

  /// What is known of the applier on one stream.
  private struct Known: Decodable, FetchableRecord {
    let stream: Int64
    let head: ObjectID
    let headTree: ObjectID
    let headSequence: UInt64
    /// Of the newest message that it has answered.
    let sequence: UInt64
    /// Of the newest heartbeat that it has answered.
    let counter: UInt64
    let expected: ObjectID?
    /// Where it said before that it is.
    let revision: ObjectID?
    let healCount: Int
  }

  private func write(_ told: Report.Stream) throws -> ReceiptReader.Reading {
    guard let known = try known(of: told.name) else { return .unasked }
    guard told.sequence <= known.headSequence else {
      return .mismatch(field: "streams.sequence")
    }
    if let field = try mismatch(of: told.standing, with: known) { return .mismatch(field: field) }
    // A carrier can hold an old report back, or bring it again.
    guard report.counter > known.counter, told.sequence >= known.sequence else { return .known }
    switch told.standing {
    case .current(let snapshot):
      try update(known, .current, snapshot, answering: told.sequence)
      if known.healCount > 0 {
        try HealingBudget.restore(of: report.applier, of: known.stream, at: now, in: database)
      }
    case .behind(let snapshot):
      try update(known, .behind, snapshot, answering: told.sequence)
      if known.healCount > 0, known.revision != snapshot?.revision {
        try HealingBudget.allowAnother(
          for: report.applier, of: known.stream, hasNothing: snapshot == nil, in: database)
      }
    case .blocked(let reason, let detail, let revision):
      try block(known, reason, detail, at: revision)
    }
    return .news
  }

  private func known(of stream: StreamName) throws -> Known? {
    try Known.fetchOne(
      database.cachedStatement(
        sql: """
          SELECT stream.id AS stream, stream.revision AS head, stream.tree AS headTree,
            stream.sequence AS headSequence, recipient.sequence, recipient.counter, expected,
            recipient.revision, healCount
          FROM stream JOIN recipient ON recipient.stream = stream.id
          WHERE remote = ? AND ref = ? AND mailbox = ?
          """), arguments: [stream.remote, stream.branch, report.applier])
  }

  private func mismatch(of standing: Report.Standing, with known: Known) throws -> String? {
    let snapshot: Snapshot
    switch standing {
    case .blocked, .behind(nil): return nil
    case .behind(let found?), .current(let found): snapshot = found
    }
    // A branch may lead to another commit with the same files since.
    if case .current = standing, snapshot.tree == known.headTree { return nil }
    let tree =
      snapshot.revision == known.head
      ? known.headTree
      : try Outbox.tree(of: snapshot.revision, sentOn: known.stream, in: database)
    if let tree { return snapshot.tree == tree ? nil : "streams.tree" }
    if case .behind = standing { return nil }
    return "streams.revision"
  }

  private func update(
    _ known: Known, _ standing: Recipient.Standing, _ snapshot: Snapshot?,
    answering sequence: UInt64
  ) throws {
    // A heartbeat goes out behind the message whose number it has, and mailboxes are in order: what has no answer by now
    // will not get one that matters.
    if known.expected != nil {
      try Outbox.settle(
        upTo: sequence, of: report.applier, on: known.stream, in: database)
    }
    try database.cachedStatement(
      sql: """
        UPDATE recipient SET standing = ?3, sequence = MAX(sequence, ?4), revision = ?5, tree = ?6,
        seenAt = ?7, counter = ?8, block = NULL WHERE stream = ?1 AND mailbox = ?2
        """
    ).execute(arguments: [
      known.stream, report.applier, standing.rawValue, sequence, snapshot?.revision,
      snapshot?.tree, seenAt, report.counter,
    ])
  }

  /// Settles nothing: messages still wait there, and are answered later.
  private func block(
    _ known: Known, _ reason: BlockReason, _ detail: String, at revision: ObjectID?
  ) throws {
    try database.cachedStatement(
      sql: """
        UPDATE recipient SET standing = 'blocked', block = ?3, blockDetail = ?4, seenAt = ?5,
        counter = ?6, tree = CASE WHEN ?7 IS NULL OR revision IS ?7 THEN tree END,
        revision = IFNULL(?7, revision) WHERE stream = ?1 AND mailbox = ?2
        """
    ).execute(arguments: [
      known.stream, report.applier, reason.rawValue, detail, seenAt, report.counter, revision,
    ])
  }

  /// By the applier's clock, and no later than a clock says that is nearly right.
  private var seenAt: Timestamp {
    min(report.finishedAt, now.adding(milliseconds: Limits.clockSkewMillisecondsMax))
  }
}

extension Outbox {
  /// Of a revision that this stream's messages have led to.
  static func tree(
    of revision: ObjectID, sentOn stream: Int64, in database: Database
  ) throws -> ObjectID? {
    try ObjectID.fetchOne(
      database.cachedStatement(sql: "SELECT tree FROM sent WHERE stream = ? AND after = ? LIMIT 1"),
      arguments: [stream, revision])
  }

  /// Ends the wait for answers to messages with these numbers.
  static func settle(
    upTo sequence: UInt64, of mailbox: Mailbox, on stream: Int64, in database: Database
  ) throws {
    try database.cachedStatement(
      sql: """
        UPDATE answer SET state = 'superseded'
        WHERE \(isOpen) AND stream = ? AND recipient = ? AND sequence <= ?
        """
    ).execute(arguments: [stream, mailbox, sequence])
  }
}
