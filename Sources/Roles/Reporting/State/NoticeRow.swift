import Foundation
import GRDB
import GitModel
import Mailboxes
import MessageFormat

/// A notice on its way along a route.
struct NoticeRow: Decodable, FetchableRecord, Sendable {
  let route: String
  let id: String
  private let body: String
  let failureCount: Int
  let failure: String?

  func notice() throws -> Notice {
    try JSONDecoder().decode(Notice.self, from: Data(body.utf8))
  }
}

/// What was not told in the end.
struct LostNotices: Decodable, FetchableRecord, Sendable {
  let route: String
  let count: Int
  let failure: String
}

extension ReportingState {
  /// Events of one route that wait at most: a storm beyond that is counted by the newest ones alone.
  private static let eventCountMax = 100_000

  // MARK: - What was told of machines

  private struct ToldRow: Decodable, FetchableRecord {
    let remote: RemoteName
    let branch: BranchName
    let mailbox: Mailbox
    let applied: ObjectID?
    let refused: MessageID?
    let isStale: Bool
    let isUnseen: Bool
  }

  func told() throws -> [MachineKey: FleetWatch.Told] {
    try reading { database in
      let rows = try ToldRow.fetchAll(database, sql: "SELECT * FROM machine")
      return Dictionary(
        rows.map { row in
          (
            MachineKey(StreamName(remote: row.remote, branch: row.branch), row.mailbox),
            FleetWatch.Told(
              applied: row.applied, refused: row.refused, isStale: row.isStale,
              isUnseen: row.isUnseen)
          )
        }
      ) { first, _ in first }
    }
  }

  /// What machines are told to be, and the events that tell it, in one durable step: no event is lost or made twice.
  func note(
    _ changed: [MachineKey: FleetWatch.Told], gone: [MachineKey], _ events: [NoticeEvent],
    for routes: [NoticeRoute]
  ) throws {
    try writing { database in
      let insert = try database.cachedStatement(
        sql: "INSERT OR REPLACE INTO machine VALUES (?, ?, ?, ?, ?, ?, ?)")
      for (key, told) in changed {
        try insert.execute(arguments: [
          key.stream.remote, key.stream.branch, key.mailbox, told.applied, told.refused,
          told.isStale, told.isUnseen,
        ])
      }
      let remove = try database.cachedStatement(
        sql: "DELETE FROM machine WHERE remote = ? AND branch = ? AND mailbox = ?")
      for key in gone {
        try remove.execute(arguments: [key.stream.remote, key.stream.branch, key.mailbox])
      }
      try Self.insert(events, for: routes, in: database)
    }
  }

  static func insert(
    _ events: [NoticeEvent], for routes: [NoticeRoute], in database: Database
  ) throws {
    let statement = try database.cachedStatement(
      sql: "INSERT INTO event (route, body) VALUES (?, ?)")
    let encoder = JSONEncoder()
    for event in events {
      let body = String(decoding: try encoder.encode(event), as: UTF8.self)
      for route in routes where route.kinds.contains(event.kind) {
        try statement.execute(arguments: [route.name, body])
      }
    }
    for route in routes where !events.isEmpty {
      try database.cachedStatement(
        sql: """
          DELETE FROM event WHERE route = ?1 AND id <= (SELECT id FROM event WHERE route = ?1
          ORDER BY id DESC LIMIT 1 OFFSET \(eventCountMax))
          """
      ).execute(arguments: [route.name])
    }
  }

  // MARK: - Notices

  /// The number of the newest event that waits, for seeing that more have come; `nil`: there is none.
  func newestEvent(of route: String) throws -> Int64? {
    try reading { database in
      try Int64.fetchOne(
        database.cachedStatement(sql: "SELECT MAX(id) FROM event WHERE route = ?"),
        arguments: [route])
    }
  }

  func openNotice(of route: String) throws -> NoticeRow? {
    try reading { database in
      try NoticeRow.fetchOne(
        database, sql: "SELECT * FROM notice WHERE route = ?", arguments: [route])
    }
  }

  /// All events that wait become one notice, from now on on its way; `nil`: there are none.
  func makeNotice(of route: String, id: String, at time: Timestamp) throws -> NoticeRow? {
    try writing { database in
      let bodies = try String.fetchAll(
        database, sql: "SELECT body FROM event WHERE route = ? ORDER BY id", arguments: [route])
      guard !bodies.isEmpty else { return nil }
      let decoder = JSONDecoder()
      let events = try bodies.map { try decoder.decode(NoticeEvent.self, from: Data($0.utf8)) }
      let notice = Notice(events, id: id, at: time.milliseconds)
      try database.execute(
        sql: "INSERT INTO notice (route, id, body) VALUES (?, ?, ?)",
        arguments: [route, id, String(decoding: try notice.json(), as: UTF8.self)])
      try database.execute(sql: "DELETE FROM event WHERE route = ?", arguments: [route])
      return try NoticeRow.fetchOne(
        database, sql: "SELECT * FROM notice WHERE route = ?", arguments: [route])
    }
  }

  /// Those of a notice's receivers that have it.
  func handed(_ notice: String) throws -> Set<String> {
    try reading { database in
      Set(
        try String.fetchAll(
          database, sql: "SELECT target FROM handed WHERE notice = ?", arguments: [notice]))
    }
  }

  func noteHanded(_ notice: String, to target: String) throws {
    try writing { database in
      try database.execute(
        sql: "INSERT OR IGNORE INTO handed VALUES (?, ?)", arguments: [notice, target])
    }
  }

  func noteFailed(_ notice: NoticeRow, _ reason: String) throws {
    try writing { database in
      try database.execute(
        sql: "UPDATE notice SET failureCount = failureCount + 1, failure = ? WHERE id = ?",
        arguments: [reason, notice.id])
    }
  }

  /// Nothing more is done for this notice; `failure`: it was not told to all.
  func end(_ notice: NoticeRow, failure: String?) throws {
    try writing { database in
      try database.execute(sql: "DELETE FROM notice WHERE id = ?", arguments: [notice.id])
      try database.execute(sql: "DELETE FROM handed WHERE notice = ?", arguments: [notice.id])
      if let failure {
        try database.execute(
          sql: """
            INSERT INTO lost VALUES (?1, 1, ?2)
            ON CONFLICT (route) DO UPDATE SET count = count + 1, failure = ?2
            """, arguments: [notice.route, failure])
      } else {
        try database.execute(sql: "DELETE FROM lost WHERE route = ?", arguments: [notice.route])
      }
    }
  }

  func lost() throws -> [LostNotices] {
    try reading { try LostNotices.fetchAll($0, sql: "SELECT * FROM lost ORDER BY route") }
  }

  /// Routes that are configured no more are forgotten, with what waits for them; returns how many events that are, for each
  /// of these routes.
  func keep(_ routes: [NoticeRoute]) throws -> [String: Int] {
    let names = Set(routes.map(\.name))
    return try writing { database in
      var counts: [String: Int] = [:]
      for notice in try NoticeRow.fetchAll(database, sql: "SELECT * FROM notice")
      where !names.contains(notice.route) {
        let waiting = try notice.notice()
        counts[notice.route, default: 0] += waiting.events.count + waiting.omitted
      }
      let events = try Row.fetchAll(
        database, sql: "SELECT route, COUNT(*) AS count FROM event GROUP BY route")
      for row in events {
        let route: String = row["route"]
        if !names.contains(route) { counts[route, default: 0] += row["count"] }
      }
      for table in ["event", "notice", "lost"] {
        let known = try String.fetchAll(database, sql: "SELECT DISTINCT route FROM \(table)")
        for route in known where !names.contains(route) {
          try database.execute(sql: "DELETE FROM \(table) WHERE route = ?", arguments: [route])
        }
      }
      return counts
    }
  }
}
