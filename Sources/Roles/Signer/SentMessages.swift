import Foundation
import GRDB
package import GitModel
package import MessageFormat

/// A message and what one recipient has said of it: a line of `distro status`.
package struct SentMessage: Sendable {
  package enum State: String, Sendable {
    case waiting, stored, applied, refused
    /// The recipient is elsewhere than where the message starts.
    case behind
    /// A later one was answered first; this one will not be.
    case superseded

    package var isOpen: Bool { self == .waiting || self == .stored }
  }

  package let id: MessageID
  package let stream: StreamName
  package let sequence: UInt64
  package let before: ObjectID?
  package let after: ObjectID
  package let kind: String
  package let byteCount: UInt64
  package let recipient: Mailbox
  package let recipientName: String
  package let state: State
  package let createdAt: Timestamp
  package let storedAt: Timestamp?
  package let finishedAt: Timestamp?
  /// The stable name of a refusal; only with `refused`.
  package let refusal: String?
  package let detail: String?
  /// What the recipient's checkout is at, as its receipt said.
  package let revision: ObjectID?

  fileprivate init(row: Row) throws {
    func bytes(_ column: String) -> [UInt8]? { (row[column] as Data?).map { Array($0) } }
    func time(_ column: String) -> Timestamp? {
      (row[column] as Int64?).map { Timestamp(milliseconds: UInt64($0)) }
    }
    guard let id = bytes("message").flatMap(MessageID.init(_:)),
      let recipient = bytes("recipient").flatMap(Mailbox.init(_:)),
      let after = bytes("after").flatMap({ ObjectID(bytes: $0) }),
      let state = State(rawValue: row["state"]), let createdAt = time("createdAt")
    else { throw SignerError.state("a row of the table 'sent' is damaged") }
    self.id = id
    self.recipient = recipient
    self.after = after
    self.state = state
    self.createdAt = createdAt
    stream = try StreamName(row: row)
    sequence = UInt64(row["sequence"] as Int64)
    before = bytes("before").flatMap { ObjectID(bytes: $0) }
    kind = row["kind"]
    byteCount = UInt64(row["byteCount"] as Int64)
    recipientName = row["name"]
    storedAt = time("storedAt")
    finishedAt = time("finishedAt")
    refusal = row["refusal"]
    detail = row["detail"]
    revision = bytes("revision").flatMap { ObjectID(bytes: $0) }
  }
}

extension Outbox {
  /// The newest message of every stream and recipient, streams in alphabetical order.
  package func newest() throws(SignerError) -> [SentMessage] {
    // With one MAX, SQLite takes the other columns from the row that has it (sqlite.org/lang_select.html#bareagg).
    try rows(columns: ", MAX(sent.sequence)", "GROUP BY sent.stream, answer.recipient")
  }

  /// One message, a row a recipient.
  package func answers(to id: MessageID) throws(SignerError) -> [SentMessage] {
    try rows("WHERE sent.message = ?", [Data(id.bytes)])
  }

  /// Messages that no carrier has stored yet, oldest first.
  package func unstored() throws(SignerError) -> [SentMessage] {
    try rows("WHERE answer.state = 'waiting'")
  }

  /// Messages that are stored and not answered yet, oldest first.
  package func unanswered() throws(SignerError) -> [SentMessage] {
    try rows("WHERE answer.state = 'stored'")
  }

  /// Messages that bring a branch to a revision, and that somebody has not answered yet, oldest first.
  package func open(
    of stream: StreamName, to revision: ObjectID
  ) throws(SignerError) -> [SentMessage] {
    try rows(
      """
      WHERE answer.state IN ('waiting', 'stored') AND sent.after = ? AND stream.remote = ?
      AND stream.ref = ?
      """, [Data(revision.bytes), stream.remote.text, stream.branch.fullName])
  }

  private func rows(
    columns: String = "", _ clauses: String, _ arguments: StatementArguments = []
  ) throws(SignerError) -> [SentMessage] {
    try reading { database in
      let rows = try Row.fetchAll(
        database,
        sql: """
          SELECT * FROM (
            SELECT sent.*, answer.*, stream.remote, stream.ref\(columns)
            FROM sent JOIN answer ON answer.message = sent.message
            JOIN stream ON stream.id = sent.stream
            \(clauses)
          ) ORDER BY remote, ref, sequence, name
          """, arguments: arguments)
      return try rows.map { try SentMessage(row: $0) }
    }
  }
}
