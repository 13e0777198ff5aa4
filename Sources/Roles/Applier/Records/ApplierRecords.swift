import GRDB
import GitModel
import Host
import Mailboxes
import MessageFormat

// A row of each table in ApplierTables.swift, under the table's name.

/// How far a signer's stream was seen.
struct SeenRecord: Codable, FetchableRecord {
  let sequence: UInt64
  let digest: ContentDigest
}

/// A revision that a message led to, or from.
struct AppliedRecord: Codable, FetchableRecord {
  let sequence: UInt64
  let revision: ObjectID
}

/// The newest that a signer's heartbeats have said of a stream.
struct HeartbeatRecord: Codable, FetchableRecord {
  let signer: Mailbox
  let remote: RemoteName
  let ref: BranchName
  /// In the order in which heartbeats came, over all signers.
  let number: Int64
  let sequence: UInt64
  let revision: ObjectID
  /// `nil`: no other revision does.
  let tree: ObjectID?
  /// Of the heartbeat: orders those of one signer.
  let counter: UInt64
  /// By the signer's clock.
  let createdAt: Timestamp
  let receivedAt: Timestamp
  let boot: String
  let sinceBoot: UInt64
  /// How long after it was received it says something, in milliseconds.
  let lifetime: UInt64

  private var received: Moment {
    Moment(wall: receivedAt, sinceBoot: BootTime(boot: boot, milliseconds: sinceBoot))
  }

  /// `nil`: it was received at a time that cannot be, so that it says nothing any more.
  func remainingMilliseconds(at now: Moment) -> UInt64? {
    now.milliseconds(since: received).map { lifetime - min(lifetime, $0) }
  }

  func isAlive(at now: Moment) -> Bool { (remainingMilliseconds(at: now) ?? 0) > 0 }

  var expiresAt: Timestamp { receivedAt.adding(milliseconds: lifetime) }
}

/// The newest refusal of a checkout's stream.
struct RefusalRecord: Codable, FetchableRecord, PersistableRecord {
  static let databaseTableName = "refusal"
  static let persistenceConflictPolicy = PersistenceConflictPolicy(insert: .replace)

  let remote: RemoteName
  let ref: BranchName
  let name: String
  let detail: String
  let at: Timestamp
}

/// The newest revision of a stream that has failed here, until another one is applied.
struct RejectedRecord: Codable, FetchableRecord, PersistableRecord {
  static let databaseTableName = "rejected"
  static let persistenceConflictPolicy = PersistenceConflictPolicy(insert: .replace)

  let remote: RemoteName
  let ref: BranchName
  let revision: ObjectID
  let sequence: UInt64
  /// Of the refusal.
  let name: String
  let detail: String
  let at: Timestamp

  var refused: Refused { Refused(Refusal(rawValue: name) ?? .rolledBack, detail) }
}

/// Refusals that belong to no checkout, under one name: how many, and the last one.
struct StrayRefusalRecord: Codable, FetchableRecord {
  let name: String
  let detail: String
  let at: Timestamp
  let count: UInt64
}

/// What the machine keeps us from a checkout by.
struct BlockRecord: Codable, FetchableRecord {
  let remote: RemoteName
  let ref: BranchName
  let reason: BlockReason
  let detail: String
  let since: Timestamp
}

extension BlockReason: Codable {}
extension BlockReason: DatabaseValueConvertible {}

/// Since when heartbeats of a stream are expected.
struct WatchedRecord: Codable, FetchableRecord, PersistableRecord {
  static let databaseTableName = "watched"
  static let persistenceConflictPolicy = PersistenceConflictPolicy(insert: .replace)

  let remote: RemoteName
  let ref: BranchName
  let since: Timestamp
  let boot: String
  let sinceBoot: UInt64

  init(_ stream: StreamName, since moment: Moment) {
    (remote, ref, since) = (stream.remote, stream.branch, moment.wall)
    (boot, sinceBoot) = (moment.sinceBoot.boot, moment.sinceBoot.milliseconds)
  }

  var moment: Moment {
    Moment(wall: since, sinceBoot: BootTime(boot: boot, milliseconds: sinceBoot))
  }
}
