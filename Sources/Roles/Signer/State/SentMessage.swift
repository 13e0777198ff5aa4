import Foundation
import GRDB
package import GitModel
import Mailboxes
package import MessageFormat

/// A message and what one recipient has said of it: a line of `distro status`.
package struct SentMessage: Sendable, Codable, FetchableRecord {
  package enum State: String, Sendable, Codable {
    case waiting, stored, applied, refused
    /// The recipient is at another revision than the one that the message starts from.
    case behind
    /// A later one was answered first; this one will not be.
    case superseded

    package var isOpen: Bool { self == .waiting || self == .stored }
  }

  private let message: MessageID
  private let remote: RemoteName
  private let ref: BranchName
  package let sequence: UInt64
  package let before: ObjectID?
  package let after: ObjectID
  package let kind: String
  package let byteCount: UInt64
  package let recipient: Mailbox
  private let name: String
  package let state: State
  package let createdAt: Timestamp
  package let storedAt: Timestamp?
  package let finishedAt: Timestamp?
  /// The stable name of a refusal; only with `refused`.
  package let refusal: String?
  package let detail: String?
  /// What the recipient's checkout is at, as its receipt said.
  package let revision: ObjectID?

  package var id: MessageID { message }
  package var stream: StreamName { StreamName(remote: remote, branch: ref) }
  package var recipientName: String { name }
}

extension Outbox {
  /// In the words of the index of open answers, so that SQLite uses it.
  static let isOpen = "answer.state IN ('waiting', 'stored')"

  /// The newest message of every stream and recipient, streams in alphabetical order.
  package func newest() throws(SignerError) -> [SentMessage] { try newest("") }

  /// The newest message to each recipient of a stream.
  package func newest(of stream: StreamName) throws(SignerError) -> [SentMessage] {
    try newest("WHERE stream.remote = ? AND stream.ref = ?", [stream.remote, stream.branch])
  }

  private func newest(
    _ clause: String, _ arguments: StatementArguments = []
  ) throws(SignerError) -> [SentMessage] {
    try rows(
      """
      FROM stream JOIN recipient ON recipient.stream = stream.id
      JOIN sent ON sent.message = recipient.newest
      JOIN answer ON answer.message = recipient.newest AND answer.recipient = recipient.mailbox
      \(clause)
      """, arguments)
  }

  /// One message, a row a recipient.
  package func answers(to id: MessageID) throws(SignerError) -> [SentMessage] {
    try answers("WHERE sent.message = ?", [id])
  }

  /// Messages of a stream that lead to a revision, a row a recipient, oldest first.
  package func answers(
    leadingTo revision: ObjectID, on stream: StreamName
  ) throws(SignerError) -> [SentMessage] {
    try answers(
      "WHERE stream.remote = ? AND stream.ref = ? AND sent.after = ?",
      [stream.remote, stream.branch, revision])
  }

  /// Messages that no carrier has stored yet, oldest first.
  package func unstored() throws(SignerError) -> [SentMessage] {
    try answers("WHERE \(Self.isOpen) AND answer.state = 'waiting'")
  }

  /// Messages that are stored and not answered yet, oldest first.
  package func unanswered() throws(SignerError) -> [SentMessage] {
    try answers("WHERE \(Self.isOpen) AND answer.state = 'stored'")
  }

  private func answers(
    _ clause: String, _ arguments: StatementArguments = []
  ) throws(SignerError) -> [SentMessage] {
    try rows(
      """
      FROM sent JOIN answer ON answer.message = sent.message
      JOIN stream ON stream.id = sent.stream
      JOIN recipient ON recipient.stream = sent.stream AND recipient.mailbox = answer.recipient
      \(clause)
      """, arguments)
  }

  private func rows(
    _ clauses: String, _ arguments: StatementArguments
  ) throws(SignerError) -> [SentMessage] {
    try reading { database in
      try SentMessage.fetchAll(
        database,
        sql: """
          SELECT sent.message, sent.sequence, sent.before, sent.after, sent.kind, sent.byteCount,
            sent.createdAt, answer.recipient, answer.state, answer.storedAt, answer.finishedAt,
            answer.refusal, answer.detail, answer.revision, recipient.name, stream.remote,
            stream.ref
          \(clauses) ORDER BY stream.remote, stream.ref, sent.sequence, recipient.name
          """, arguments: arguments)
    }
  }
}
