import GRDB
package import Mailboxes
package import MessageFormat

/// What the role has received and not handed over yet, as its state says: for looking at that no secret is needed.
package struct HookStatus: Sendable {
  package struct Row: Sendable {
    package let path: String
    package let host: HookHost
    package let remote: RemoteName
    package let receivedCount: Int
    package let receivedAt: Timestamp?
    /// Of the last request that was verified.
    package let event: String?
    package let handedOverAt: Timestamp?
    /// Refs that wait for the signer, and since when the first does.
    package let waitingCount: Int
    package let waitingSince: Timestamp?
    /// Why the signer has not taken them.
    package let fault: String?
    /// How many requests were refused, by their answer's status.
    package let refusedCounts: [Int: Int]
  }

  package let rows: [Row]
  /// Requests to no hook.
  package let strangerCounts: [Int: Int]

  /// A hint that waits for so long needs a person.
  private static let waitingMillisecondsMax: UInt64 = 60_000

  package init(_ settings: HookSettings, reading state: StateDatabase) throws {
    let (rows, strangers) = try state.reading { database in
      (
        try settings.hooks.map { try Self.row(of: $0, in: database) },
        try Self.refusedCounts(of: "", in: database)
      )
    }
    (self.rows, strangerCounts) = (rows, strangers)
  }

  package func needsAttention(at now: Timestamp) -> Bool {
    rows.contains { row in
      row.waitingSince.map { $0.adding(milliseconds: Self.waitingMillisecondsMax) < now } ?? false
    }
  }

  private static func row(of hook: HookSettings.Hook, in database: Database) throws -> Row {
    let known = try GRDB.Row.fetchOne(
      database, sql: "SELECT * FROM hook WHERE path = ?", arguments: [hook.path])
    let waiting = try GRDB.Row.fetchOne(
      database,
      sql: "SELECT COUNT(*) AS count, MIN(receivedAt) AS since FROM waiting WHERE remote = ?",
      arguments: [hook.remote])
    return Row(
      path: hook.path, host: hook.host, remote: hook.remote,
      receivedCount: known?["receivedCount"] ?? 0, receivedAt: known?["receivedAt"],
      event: known?["event"], handedOverAt: known?["handedOverAt"],
      waitingCount: waiting?["count"] ?? 0, waitingSince: waiting?["since"],
      fault: known?["fault"], refusedCounts: try refusedCounts(of: hook.path, in: database))
  }

  private static func refusedCounts(
    of path: String, in database: Database
  ) throws -> [Int: Int] {
    let rows = try GRDB.Row.fetchAll(
      database, sql: "SELECT status, count FROM refusal WHERE path = ?", arguments: [path])
    return Dictionary(rows.map { ($0["status"] as Int, $0["count"] as Int) }) { first, _ in first }
  }
}
