import GRDB
import GitModel
import Mailboxes
import MessageFormat

/// A line of a host as the state knows it.
struct StatusRow: Decodable, FetchableRecord, Sendable {
  let id: Int64
  private let remote: RemoteName
  private let revision: ObjectID
  private let kind: StatusItem.Kind
  private let context: String
  private let branch: BranchName
  private let state: StatusState
  private let text: String
  let sentState: StatusState?
  let sentCount: Int
  let external: Int64?
  let failureCount: Int
  let failure: String?
  let isGivenUp: Bool

  var item: StatusItem {
    StatusItem(
      .init(remote: remote, revision: revision, kind: kind, context: context), branch: branch,
      state, text)
  }
}

extension ReportingState {
  /// Revisions whose lines are kept after they were superseded, of each repository.
  private static let revisionCountMax = 20
  private static let isOpen =
    "NOT isGivenUp AND (sentState IS NOT state OR sentText IS NOT text)"

  /// What the host is to show from now on; lines that say the same are not touched. Returns whether anything changed.
  func show(_ items: [StatusItem], of remote: RemoteName) throws -> Bool {
    try writing { database in
      let statement = try database.cachedStatement(
        sql: """
          INSERT INTO status (remote, revision, kind, context, branch, state, text)
          VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
          ON CONFLICT (remote, revision, kind, context) DO UPDATE SET
          state = ?6, text = ?7, branch = ?5, failureCount = 0, failure = NULL, isGivenUp = 0
          WHERE state <> ?6 OR text <> ?7
          """)
      var hasChanged = false
      for item in items {
        try statement.execute(arguments: [
          item.key.remote, item.key.revision, item.key.kind.rawValue, item.key.context,
          item.branch, item.state.rawValue, item.text,
        ])
        hasChanged = hasChanged || database.changesCount > 0
      }
      if hasChanged { try prune(remote, in: database) }
      return hasChanged
    }
  }

  private func prune(_ remote: RemoteName, in database: Database) throws {
    try database.cachedStatement(
      sql: """
        DELETE FROM status WHERE remote = ?1 AND revision NOT IN (
          SELECT revision FROM status WHERE remote = ?1 GROUP BY revision
          ORDER BY MAX(id) DESC LIMIT \(Self.revisionCountMax))
        AND state <> 'pending'
        """
    ).execute(arguments: [remote])
  }

  /// Lines that are not at their end.
  func pending(of remote: RemoteName) throws -> [StatusRow] {
    try reading { database in
      try StatusRow.fetchAll(
        database.cachedStatement(
          sql: "SELECT * FROM status WHERE remote = ? AND state = 'pending' ORDER BY id"),
        arguments: [remote])
    }
  }

  /// Lines that the host has to be told, the fleet's first; `except`: their turn comes later.
  func nextStatus(of remotes: [RemoteName], except: Set<Int64>) throws -> StatusRow? {
    try reading { database in
      for kind in [StatusItem.Kind.fleet, .deployment, .machine] {
        for remote in remotes {
          let rows = try StatusRow.fetchCursor(
            database.cachedStatement(
              sql: """
                SELECT * FROM status WHERE remote = ? AND kind = ? AND \(Self.isOpen) ORDER BY id
                """), arguments: [remote, kind.rawValue])
          while let row = try rows.next() {
            if !except.contains(row.id) { return row }
          }
        }
      }
      return nil
    }
  }

  /// The host has this line as it was then.
  func noteSent(_ row: StatusRow, external: Int64?) throws {
    try writing { database in
      try database.cachedStatement(
        sql: """
          UPDATE status SET sentState = ?2, sentText = ?3, sentCount = sentCount + 1,
          external = IFNULL(?4, external), failureCount = 0, failure = NULL WHERE id = ?1
          """
      ).execute(arguments: [row.id, row.item.state.rawValue, row.item.text, external])
    }
  }

  /// The host has made what the line is to stand at, and does not show it yet.
  func note(_ external: Int64, of row: StatusRow) throws {
    try writing { database in
      try database.execute(
        sql: "UPDATE status SET external = ? WHERE id = ?", arguments: [external, row.id])
    }
  }

  /// The host does not take this line; `isLast`: it is not tried again.
  func noteRefused(_ row: StatusRow, _ reason: String, isLast: Bool) throws {
    try writing { database in
      try database.cachedStatement(
        sql: """
          UPDATE status SET failureCount = failureCount + 1, failure = ?2, isGivenUp = ?3
          WHERE id = ?1 AND state = ?4 AND text = ?5
          """
      ).execute(arguments: [
        row.id, reason, isLast, row.item.state.rawValue, row.item.text,
      ])
    }
  }

  /// How many lines wait, and how many were given up, with the newest reason of each repository.
  func statusTroubles(of remote: RemoteName) throws -> (waiting: Int, lost: Int, reason: String?) {
    try reading { database in
      let waiting =
        try Int.fetchOne(
          database, sql: "SELECT COUNT(*) FROM status WHERE remote = ? AND \(Self.isOpen)",
          arguments: [remote]) ?? 0
      let lost =
        try Int.fetchOne(
          database, sql: "SELECT COUNT(*) FROM status WHERE remote = ? AND isGivenUp",
          arguments: [remote]) ?? 0
      let reason = try String.fetchOne(
        database,
        sql: """
          SELECT failure FROM status WHERE remote = ? AND failure IS NOT NULL
          ORDER BY id DESC LIMIT 1
          """, arguments: [remote])
      return (waiting, lost, reason)
    }
  }
}
