import GRDB
import GitModel
import Mailboxes
import MessageFormat

/// What a receipt answers: a message of ours.
struct ReceiptQuestion {
  /// Of the table `stream`.
  let stream: Int64
  let sequence: UInt64
  let message: MessageID
  /// Where the message leads.
  let after: Snapshot
  let isOpen: Bool
  private let name: StreamName
  private let head: StreamHead

  private struct Row: Decodable, FetchableRecord {
    let stream: Int64
    let remote: RemoteName
    let ref: BranchName
    let sequence: UInt64
    let after: ObjectID
    let tree: ObjectID
    let state: SentMessage.State
  }

  /// `nil`: nothing that this state remembers.
  init?(of receipt: Receipt, in database: Database) throws {
    let row = try Row.fetchOne(
      database.cachedStatement(
        sql: """
          SELECT sent.stream, stream.remote, stream.ref, sent.sequence, sent.after, sent.tree,
            answer.state
          FROM answer JOIN sent ON sent.message = answer.message
          JOIN stream ON stream.id = sent.stream
          WHERE answer.message = ? AND answer.recipient = ?
          """), arguments: [receipt.messageID, receipt.applier])
    guard let row else { return nil }
    (stream, sequence, message) = (row.stream, row.sequence, receipt.messageID)
    name = StreamName(remote: row.remote, branch: row.ref)
    after = Snapshot(revision: row.after, tree: row.tree)
    isOpen = row.state.isOpen || row.state == .superseded
    guard let head = try Outbox.head(of: name, in: database) else { return nil }
    self.head = head
  }

  /// The first field of the receipt that cannot be an answer to this; `nil`: all can.
  func mismatch(with receipt: Receipt, in database: Database) throws -> String? {
    if let subject = receipt.subject {
      if subject.stream.remote != name.remote { return "remote" }
      if subject.stream.branch != name.branch { return "ref" }
      if subject.sequence != sequence { return "sequence" }
    } else if case .refused = receipt.outcome {
      // It could not be opened there.
    } else {
      return "remote"
    }
    switch receipt.outcome {
    case .applied(let snapshot):
      if snapshot.revision != after.revision { return "revision" }
      return snapshot.tree == after.tree ? nil : "tree"
    case .behind(let snapshot):
      guard let snapshot, let tree = try tree(of: snapshot.revision, in: database) else {
        return nil
      }
      return snapshot.tree == tree ? nil : "tree"
    case .refused, .blocked: return nil
    }
  }

  /// Of a revision that this stream was led to.
  private func tree(of revision: ObjectID, in database: Database) throws -> ObjectID? {
    if revision == head.revision { return head.tree }
    return try Outbox.tree(of: revision, sentOn: stream, in: database)
  }
}
