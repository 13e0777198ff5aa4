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
    queue = try DatabaseQueue(path: directory + "/state.sqlite", configuration: configuration)
    // Only here: where GRDB turns the log on, it sets NORMAL, after all that a configuration can say.
    try queue.inDatabase { try $0.execute(sql: "PRAGMA synchronous = FULL") }
    try migrator.migrate(queue)
  }

  /// A transaction that survives the end of the process, but a power cut only together with the next one that is
  /// durable: for what does no harm when it happens again.
  package func writeUnsynced<Value>(_ body: (Database) throws -> Value) throws -> Value {
    try queue.writeWithoutTransaction { database in
      try database.execute(sql: "PRAGMA synchronous = NORMAL")
      let result = Result { try database.transaction(body) }
      try database.execute(sql: "PRAGMA synchronous = FULL")
      return try result.get()
    }
  }
}

extension Database {
  fileprivate func transaction<Value>(_ body: (Database) throws -> Value) throws -> Value {
    var value: Value?
    try inTransaction(.immediate) {
      value = try body(self)
      return .commit
    }
    guard let value else { preconditionFailure("a transaction that returns has run") }
    return value
  }
}
