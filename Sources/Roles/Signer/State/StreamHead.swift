import GRDB
package import GitModel
import Mailboxes
package import MessageFormat

/// Where a stream leads, and the last message that was made of it.
package struct StreamHead: Hashable, Sendable, Decodable, FetchableRecord {
  package let sequence: UInt64
  package let revision: ObjectID
  let tree: ObjectID
  package let digest: ContentDigest
}

/// What a message, or a stream without one, requires of the stream at the moment that it takes its number.
struct HeadRequirement {
  let stream: StreamName
  /// `nil`: nothing was ever sent on it.
  let head: StreamHead?
  /// Of the repository and the recipients, at the same moment.
  let isMet: (Database) throws -> Bool

  func require(in database: Database) throws {
    guard try Outbox.head(of: stream, in: database) == head, try isMet(database) else {
      throw SignerError.streamMoved(stream)
    }
  }
}

extension Outbox {
  /// `nil`: nothing was ever sent on this stream.
  package func head(of stream: StreamName) throws(SignerError) -> StreamHead? {
    try reading { try Self.head(of: stream, in: $0) }
  }

  static func head(of stream: StreamName, in database: Database) throws -> StreamHead? {
    try StreamHead.fetchOne(
      database.cachedStatement(
        sql: "SELECT sequence, revision, tree, digest FROM stream WHERE remote = ? AND ref = ?"),
      arguments: [stream.remote, stream.branch])
  }

  static func number(of stream: StreamName, in database: Database) throws -> Int64? {
    try Int64.fetchOne(
      database.cachedStatement(sql: "SELECT id FROM stream WHERE remote = ? AND ref = ?"),
      arguments: [stream.remote, stream.branch])
  }

  /// The stream leads to another revision without a message: its next heartbeat says so.
  func lead(_ requirement: HeadRequirement, to snapshot: Snapshot) throws(SignerError) {
    try writing { database in
      try requirement.require(in: database)
      try database.execute(
        sql: "UPDATE stream SET revision = ?, tree = ? WHERE remote = ? AND ref = ?",
        arguments: [
          snapshot.revision, snapshot.tree, requirement.stream.remote, requirement.stream.branch,
        ])
    }
  }

  /// Whether recipients are to have a stream's revision itself, and not only its files.
  func follow(_ streams: [(name: StreamName, isFollowed: Bool)]) throws(SignerError) {
    let condition = "remote = ? AND ref = ? AND isFollowed <> ?"
    let changed = try reading { database in
      let statement = try database.cachedStatement(
        sql: "SELECT EXISTS (SELECT 1 FROM stream WHERE \(condition))")
      return try streams.filter { stream in
        try Bool.fetchOne(
          statement, arguments: [stream.name.remote, stream.name.branch, stream.isFollowed]) == true
      }
    }
    guard !changed.isEmpty else { return }
    try writing { database in
      for stream in changed {
        try database.execute(
          sql: "UPDATE stream SET isFollowed = ? WHERE \(condition)",
          arguments: [
            stream.isFollowed, stream.name.remote, stream.name.branch, stream.isFollowed,
          ])
      }
    }
  }

  /// Checks the same outside of the transaction that counts: before work that would be in vain.
  func require(_ requirement: HeadRequirement) throws(SignerError) {
    try reading { try requirement.require(in: $0) }
  }
}
