package import GRDB
package import Spool

/// One role's durable state: a SQLite database and a spool directory below its `state` directory.
///
/// WAL with `synchronous = FULL`: a transaction that has returned survives a power cut (sqlite.org/pragma.html#pragma_synchronous).
package struct StateDatabase: Sendable {
  package let queue: DatabaseQueue
  package let spool: SpoolDirectory

  /// Opens `directory`/state.sqlite, making both where they are missing, and brings the tables up to date.
  package init(directory: String, migrator: DatabaseMigrator) throws {
    spool = try SpoolDirectory(directory + "/spool")
    var configuration = Configuration()
    configuration.journalMode = .wal
    configuration.busyMode = .timeout(10)
    configuration.prepareDatabase { database in
      try database.execute(sql: "PRAGMA synchronous = FULL")
    }
    queue = try DatabaseQueue(path: directory + "/state.sqlite", configuration: configuration)
    try migrator.migrate(queue)
  }
}
