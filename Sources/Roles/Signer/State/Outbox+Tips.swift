import GRDB
import GitModel
import Mailboxes
import MessageFormat

// Where branches were when they were looked at last: what differs has moved since, also while no program ran.
extension Outbox {
  /// The tip of a branch when it was last brought into the outbox, or found to need nothing; `nil`: never.
  func seenTip(of stream: StreamName) throws(SignerError) -> ObjectID? {
    try reading { database in
      try ObjectID.fetchOne(
        database.cachedStatement(sql: "SELECT revision FROM tip WHERE remote = ? AND ref = ?"),
        arguments: [stream.remote, stream.branch])
    }
  }

  /// What the repositories must not lose, whether a branch leads to it or not: where streams lead, and where recipients are
  /// or will be, since patches start from there.
  func neededRevisions() throws(SignerError) -> Set<ObjectID> {
    try reading { database in
      try ObjectID.fetchSet(
        database,
        sql: """
          SELECT revision FROM stream
          UNION SELECT revision FROM recipient WHERE revision IS NOT NULL
          UNION SELECT expected FROM recipient WHERE expected IS NOT NULL
          """)
    }
  }

  func markSeen(_ tip: ObjectID, of stream: StreamName) throws(SignerError) {
    guard try seenTip(of: stream) != tip else { return }
    try writing { database in
      try database.cachedStatement(
        sql: "INSERT OR REPLACE INTO tip (remote, ref, revision) VALUES (?, ?, ?)"
      ).execute(arguments: [stream.remote, stream.branch, tip])
    }
  }
}
