import GRDB
import MessageFormat

/// For how long a code host has asked us to be silent: it counts for the next run as well.
extension ReportingState {
  func pause(of host: String) throws -> Timestamp? {
    try reading { database in
      try Int64.fetchOne(
        database, sql: "SELECT until FROM pause WHERE host = ?", arguments: [host]
      ).map { Timestamp(milliseconds: UInt64(clamping: $0)) }
    }
  }

  func notePause(of host: String, until time: Timestamp) throws {
    try writing { database in
      try database.execute(
        sql: """
          INSERT INTO pause VALUES (?1, ?2) ON CONFLICT (host) DO UPDATE SET until = ?2
          """, arguments: [host, Int64(clamping: time.milliseconds)])
    }
  }
}
