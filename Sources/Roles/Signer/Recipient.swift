import Foundation
import GRDB
package import GitModel
package import MessageFormat

/// What is known of one recipient of one stream: by its own words, and by what is on its way to it.
package struct Recipient: Sendable {
  /// The newest word of it.
  package enum Standing: String, Sendable { case applied, refused, behind, current, blocked }

  /// A reason that a recipient gave for not applying something.
  package struct LastRefusal: Sendable {
    package let name: String
    package let detail: String
    package let at: Timestamp
  }

  package let stream: StreamName
  package let recipient: Mailbox
  package let name: String
  /// The stream's newest revision and number.
  package let head: ObjectID
  package let headSequence: UInt64
  /// `nil`: it never answered.
  package let standing: Standing?
  /// The number that its newest word answers.
  package let sequence: UInt64
  /// What it said that its checkout is at; `nil`: nothing is there, or it never said.
  package let revision: ObjectID?
  package let tree: ObjectID?
  /// By its own clock.
  package let seenAt: Timestamp?
  package let lastRefusal: LastRefusal?
  /// How often it was sent what it had missed, since it last had everything or something new was pushed.
  package let healCount: Int
  /// Not before then again.
  package let healAt: Timestamp?
  /// Where its newest message that is not answered yet leads to.
  package let expected: ObjectID?
  /// It has messages that no carrier has taken yet.
  package let isWaiting: Bool

  fileprivate init(row: Row) throws {
    func id(_ column: String) -> ObjectID? {
      (row[column] as Data?).flatMap { ObjectID(bytes: $0) }
    }
    func time(_ column: String) -> Timestamp? {
      (row[column] as Int64?).map { Timestamp(milliseconds: UInt64($0)) }
    }
    guard let recipient = Mailbox(Array(row["recipient"] as Data)), let head = id("head") else {
      throw SignerError.state("a row of the table 'machine' is damaged")
    }
    self.recipient = recipient
    self.head = head
    headSequence = UInt64(row["headSequence"] as Int64)
    stream = try StreamName(row: row)
    name = row["name"]
    standing = (row["standing"] as String?).flatMap(Standing.init(rawValue:))
    sequence = UInt64(row["sequence"] as Int64)
    revision = id("revision")
    tree = id("tree")
    seenAt = time("seenAt")
    healCount = row["healCount"]
    healAt = time("healAt")
    expected = id("expected")
    isWaiting = row["isWaiting"]
    lastRefusal =
      if let name = row["refusal"] as String?, let at = time("refusedAt") {
        LastRefusal(name: name, detail: row["refusalDetail"] ?? "", at: at)
      } else { nil }
  }
}

extension Outbox {
  /// Every recipient of every stream, in alphabetical order.
  package func machines() throws(SignerError) -> [Recipient] { try machines("", []) }

  func machines(of stream: StreamName) throws(SignerError) -> [Recipient] {
    try machines(
      "WHERE stream.remote = ? AND stream.ref = ?", [stream.remote.text, stream.branch.fullName])
  }

  private func machines(
    _ clause: String, _ arguments: StatementArguments
  ) throws(SignerError) -> [Recipient] {
    try reading { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT machine.*, stream.remote, stream.ref, stream.revision AS head,
            stream.sequence AS headSequence,
            (SELECT sent.after FROM answer JOIN sent ON sent.message = answer.message
              WHERE answer.state IN ('waiting', 'stored') AND answer.recipient = machine.recipient
              AND sent.stream = machine.stream ORDER BY sent.sequence DESC LIMIT 1) AS expected,
            EXISTS (SELECT 1 FROM answer JOIN sent ON sent.message = answer.message
              WHERE answer.state = 'waiting' AND answer.recipient = machine.recipient
              AND sent.stream = machine.stream) AS isWaiting
          FROM machine JOIN stream ON stream.id = machine.stream
          \(clause) ORDER BY remote, ref, name
          """, arguments: arguments
      ).map { try Recipient(row: $0) }
    }
  }

  /// Whether this stream's messages have led to a revision, or from it.
  func wasSent(
    _ revision: ObjectID, on stream: StreamName
  ) throws(SignerError) -> Bool {
    try reading { database in
      try Bool.fetchOne(
        database,
        sql: """
          SELECT EXISTS (SELECT 1 FROM sent JOIN stream ON stream.id = sent.stream
          WHERE stream.remote = ?1 AND stream.ref = ?2
          AND (sent.after = ?3 OR sent.before = ?3 AND sent.kind <> 'replacement'))
          """, arguments: [stream.remote.text, stream.branch.fullName, Data(revision.bytes)])
        ?? false
    }
  }

  /// A recipient that gets something new starts anew with being healed.
  static func register(
    _ recipient: Mailbox, _ name: String, of stream: Int64, in database: Database
  ) throws {
    try database.cachedStatement(
      sql: """
        INSERT INTO machine (stream, recipient, name) VALUES (?1, ?2, ?3)
        ON CONFLICT (stream, recipient) DO UPDATE SET name = ?3
        """
    ).execute(arguments: [stream, Data(recipient.bytes), name])
  }

  /// Someone's own commit is there, which must not be replaced: asking once is enough.
  func hasRefusedReplacement(
    _ machine: Recipient, of revision: ObjectID
  ) throws(SignerError) -> Bool {
    try reading { database in
      try Bool.fetchOne(
        database,
        sql: """
          SELECT EXISTS (SELECT 1 FROM sent JOIN answer ON answer.message = sent.message
          JOIN stream ON stream.id = sent.stream
          WHERE stream.remote = ? AND stream.ref = ? AND answer.recipient = ?
          AND sent.kind = 'replacement' AND sent.before = ? AND answer.state = 'refused')
          """,
        arguments: [
          machine.stream.remote.text, machine.stream.branch.fullName, Data(machine.recipient.bytes),
          Data(revision.bytes),
        ]) ?? false
    }
  }

  func forgetHealing(of recipients: [Mailbox], on stream: StreamName)
    throws(SignerError)
  {
    try writing { database in
      for recipient in recipients {
        try database.execute(
          sql: """
            UPDATE machine SET healCount = 0, healAt = NULL WHERE recipient = ? AND healCount > 0
            AND stream = (SELECT id FROM stream WHERE remote = ? AND ref = ?)
            """, arguments: [Data(recipient.bytes), stream.remote.text, stream.branch.fullName])
      }
    }
  }

  /// Counts an attempt, before it is made; `false`: another process was faster.
  func beginHealing(_ machine: Recipient, next: Timestamp) throws(SignerError) -> Bool {
    try writing { database in
      try database.execute(
        sql: """
          UPDATE machine SET healCount = healCount + 1, healAt = ?1
          WHERE recipient = ?2 AND healCount = ?3
          AND stream = (SELECT id FROM stream WHERE remote = ?4 AND ref = ?5)
          """,
        arguments: [
          Int64(next.milliseconds), Data(machine.recipient.bytes), machine.healCount,
          machine.stream.remote.text, machine.stream.branch.fullName,
        ])
      return database.changesCount == 1
    }
  }
}
