import GRDB

/// A server of others that the signer needs.
struct Server: Hashable, Sendable {
  enum Kind: String, Codable, Sendable {
    /// Is told statuses.
    case codeHost = "code-host"
    /// Is fetched from.
    case upstream
  }

  let kind: Kind
  let name: String
}

/// A server that cannot be used at the moment.
struct HostRow: Decodable, FetchableRecord, Sendable {
  private let kind: Server.Kind
  private let name: String
  let failure: String
  /// Notices were made of it.
  let isTold: Bool

  var server: Server { Server(kind: kind, name: name) }
}

extension ReportingState {
  func failingHosts() throws -> [HostRow] {
    try reading { try HostRow.fetchAll($0, sql: "SELECT * FROM host ORDER BY kind, name") }
  }

  /// `nil`: it works again. `isTold`: long enough to be told. Returns what was known of it before.
  func note(
    _ server: Server, failure: String?, isTold: Bool, _ event: NoticeEvent,
    for routes: [NoticeRoute]
  ) throws -> HostRow? {
    try writing { database in
      let before = try HostRow.fetchOne(
        database, sql: "SELECT * FROM host WHERE kind = ? AND name = ?",
        arguments: [server.kind.rawValue, server.name])
      if let failure {
        try database.execute(
          sql: """
            INSERT INTO host (kind, name, failure, isTold) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT (kind, name) DO UPDATE SET failure = ?3, isTold = isTold OR ?4
            """, arguments: [server.kind.rawValue, server.name, failure, isTold])
      } else if before != nil {
        try Self.forget(server, in: database)
      }
      let isNews = failure == nil ? before?.isTold == true : isTold && before?.isTold != true
      if isNews { try Self.insert([event], for: routes, in: database) }
      return before
    }
  }

  /// Servers that are configured no more are forgotten: nothing would ever say that they work.
  func keep(_ servers: Set<Server>) throws {
    try writing { database in
      for row in try HostRow.fetchAll(database, sql: "SELECT * FROM host")
      where !servers.contains(row.server) {
        try Self.forget(row.server, in: database)
      }
    }
  }

  private static func forget(_ server: Server, in database: Database) throws {
    try database.execute(
      sql: "DELETE FROM host WHERE kind = ? AND name = ?",
      arguments: [server.kind.rawValue, server.name])
  }
}
