import Foundation
import GRDB
package import GitModel
import Mailboxes
package import MessageFormat

/// What is known of one recipient of one stream: by its own words, and by what is on its way to it.
package struct Recipient: Sendable, Decodable, FetchableRecord {
  /// The newest word of it.
  package enum Standing: String, Sendable, Codable {
    case applied, refused, behind, current, blocked
  }

  /// A reason that a recipient gave for not applying something.
  package struct LastRefusal: Sendable {
    package let name: String
    package let detail: String
    package let at: Timestamp
  }

  private let remote: RemoteName
  private let ref: BranchName
  package let mailbox: Mailbox
  package let name: String
  /// The stream's newest revision, its tree, and the number of its newest message.
  package let head: ObjectID
  package let headTree: ObjectID
  package let headSequence: UInt64
  /// It is to have the revision itself, and not only its files.
  let isFollowed: Bool
  /// `nil`: it never answered.
  package let standing: Standing?
  /// The number that its newest word answers.
  package let sequence: UInt64
  /// What it said that its checkout is at; `nil`: nothing is there, or it never said.
  package let revision: ObjectID?
  package let tree: ObjectID?
  /// By its own clock.
  package let seenAt: Timestamp?
  private let refusal: String?
  private let refusalDetail: String?
  private let refusedAt: Timestamp?
  private let block: String?
  private let blockDetail: String?
  /// How often it was sent what it had missed, since it last had everything or something new was pushed.
  package let healCount: Int
  /// Not before then again.
  package let healAt: Timestamp?
  /// Where its newest message that is not answered yet leads to.
  package let expected: ObjectID?
  let expectedTree: ObjectID?
  private let waitingCount: Int
  /// The message that it was sent last.
  let newest: MessageID?
  /// Of the stream: when its newest heartbeat was sent.
  private let heartbeatAt: Timestamp?

  package var stream: StreamName { StreamName(remote: remote, branch: ref) }

  /// It has messages that no carrier has taken yet.
  package var isWaiting: Bool { waitingCount > 0 }

  package var lastRefusal: LastRefusal? {
    guard let refusal, let refusedAt else { return nil }
    return LastRefusal(name: refusal, detail: refusalDetail ?? "", at: refusedAt)
  }

  /// Why its checkout cannot be worked on: the stable name of a reason, and what there is to say.
  package var blocked: (name: String, detail: String)? {
    guard standing == .blocked, let block else { return nil }
    return (block, blockDetail ?? "")
  }

  /// Its files are those of the stream's newest revision, and work there: under whatever commit, unless that is followed.
  package var isUpToDate: Bool {
    !isUnhealthy && has(Snapshot(revision: head, tree: headTree))
  }

  func has(_ target: Snapshot) -> Bool {
    revision == target.revision || !isFollowed && tree == target.tree
  }

  /// What it is at does not work there, by its own word, and stays.
  var isUnhealthy: Bool {
    switch standing {
    case .refused: refusal == Refusal.unhealthy.rawValue
    case .blocked: block == BlockReason.unhealthy.rawValue
    case .applied, .behind, .current, nil: false
    }
  }

  /// It was last heard of so long before the newest heartbeat was sent: its clock and ours are nearly the same, or it
  /// refuses what we send. Without a daemon, which sends heartbeats, nothing is known.
  package func isUnseen(after seconds: UInt64) -> Bool {
    guard let heartbeatAt, let seenAt else { return false }
    return heartbeatAt > seenAt.adding(milliseconds: seconds * 1_000)
  }

  /// It is not where the stream is, and says so; a number that it has seen already says it too.
  var asksForMore: Bool {
    guard !isUpToDate else { return false }
    return switch standing {
    case .behind: true
    case .refused: refusal == "replayed" || refusal == "forked"
    case .applied, .current, .blocked, nil: false
    }
  }
}

extension Recipient {
  static let columns = """
    recipient.*, stream.remote, stream.ref, stream.revision AS head, stream.tree AS headTree,
    stream.sequence AS headSequence, stream.isFollowed, stream.heartbeatAt
    """
}

extension Outbox {
  /// Every recipient of every stream, in alphabetical order.
  package func recipients() throws(SignerError) -> [Recipient] { try recipients("", []) }

  func recipients(of stream: StreamName) throws(SignerError) -> [Recipient] {
    try recipients("WHERE remote = ? AND ref = ?", [stream.remote, stream.branch])
  }

  private func recipients(
    _ clause: String, _ arguments: StatementArguments
  ) throws(SignerError) -> [Recipient] {
    try reading { database in
      try Recipient.fetchAll(
        database.cachedStatement(
          sql: """
            SELECT \(Recipient.columns) FROM stream JOIN recipient ON stream.id = recipient.stream
            \(clause) ORDER BY remote, ref, name
            """), arguments: arguments)
    }
  }

  /// Those that said that they are elsewhere, and that nothing is on its way to; of all streams, unless these are given.
  /// Costs nothing for those that are well.
  func strays(of streams: Set<StreamName>? = nil) throws(SignerError) -> [Recipient] {
    let isStray = "standing IN ('behind', 'refused') AND expected IS NULL"
    guard let streams else { return try recipients("WHERE \(isStray)", []) }
    var strays: [Recipient] = []
    for stream in streams {
      strays += try recipients(
        "WHERE \(isStray) AND remote = ? AND ref = ?", [stream.remote, stream.branch])
    }
    return strays
  }

  /// Whether this stream's messages have led to a revision, or from it.
  func wasSent(_ revision: ObjectID, on stream: StreamName) throws(SignerError) -> Bool {
    try reading { database in
      try Bool.fetchOne(
        database.cachedStatement(
          sql: """
            SELECT EXISTS (SELECT 1 FROM sent JOIN stream ON stream.id = sent.stream
            WHERE stream.remote = ?1 AND stream.ref = ?2
            AND (sent.after = ?3 OR sent.before = ?3 AND sent.kind <> 'replacement'))
            """), arguments: [stream.remote, stream.branch, revision]) ?? false
    }
  }

  static func register(
    _ mailbox: Mailbox, _ name: String, of stream: Int64, in database: Database
  ) throws {
    try database.cachedStatement(
      sql: """
        INSERT INTO recipient (stream, mailbox, name) VALUES (?1, ?2, ?3)
        ON CONFLICT (stream, mailbox) DO UPDATE SET name = ?3 WHERE name <> ?3
        """
    ).execute(arguments: [stream, mailbox, name])
  }

  /// Where a recipient will be when it has answered everything: for noticing that this changed.
  func positions(
    of mailboxes: [Mailbox], on stream: StreamName, in database: Database
  ) throws -> [Mailbox: RecipientPosition] {
    let statement = try database.cachedStatement(
      sql: """
        SELECT IFNULL(expected, recipient.revision) AS revision FROM recipient
        JOIN stream ON stream.id = recipient.stream
        WHERE stream.remote = ? AND stream.ref = ? AND mailbox = ?
        """)
    var positions: [Mailbox: RecipientPosition] = [:]
    for mailbox in mailboxes {
      let row = try Row.fetchOne(statement, arguments: [stream.remote, stream.branch, mailbox])
      positions[mailbox] = RecipientPosition(
        revision: try row?.decode(ObjectID?.self, forColumn: "revision") ?? nil)
    }
    return positions
  }
}

/// The revision that a recipient's next message starts from; `nil`: nothing is known.
struct RecipientPosition: Hashable {
  let revision: ObjectID?
}
