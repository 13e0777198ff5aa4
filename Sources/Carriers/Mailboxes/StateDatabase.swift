package import GRDB
package import Spool

/// One role's durable state: a SQLite database and a spool directory below its `state` directory.
///
/// WAL with `synchronous = FULL`: a transaction that has returned survives a power cut (sqlite.org/pragma.html#pragma_synchronous).
package struct StateDatabase: Sendable {
  package let queue: DatabaseQueue
  package let spool: SpoolDirectory
  /// What the log may keep of the disk once it has been copied into the database.
  private static let logByteCountMax = 16 << 20
  /// SQLite does not serve writers in their order: where many run at once, one may wait for long.
  private static let busySecondsMax = 60.0

  /// Opens `directory`/state.sqlite, making both where they are missing, and brings the tables up to date.
  /// Throws `SpoolError`, or `MailboxError.state` for a file that is no database of ours.
  package init(directory: String, migrator: DatabaseMigrator) throws {
    spool = try SpoolDirectory(directory + "/spool")
    // Neither turning the log on nor the migrations wait for each other: a daemon and a hook may both be the first.
    let lock = try DirectoryLock(directory)
    let path = directory + "/state.sqlite"
    do {
      queue = try Self.open(path)
      try migrator.migrate(queue)
    } catch let error as DatabaseError {
      throw MailboxError.state(path: path, error)
    }
    _ = consume lock
  }

  private static func open(_ path: String) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.journalMode = .wal
    configuration.busyMode = .timeout(busySecondsMax)
    // Takes effect where the file is new; it is before the log is turned on that it can.
    configuration.prepareDatabase { try $0.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL") }
    let queue = try DatabaseQueue(path: path, configuration: configuration)
    // Only here: where GRDB turns the log on, it sets NORMAL, after all that a configuration can say.
    try queue.inDatabase { database in
      try database.execute(
        sql: "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = \(logByteCountMax)")
    }
    return queue
  }

  /// For whoever handles what lies here, which two must not do at once: a `MailboxError` with `isInUse`.
  package func claim() throws(MailboxError) -> StateClaim {
    do { return try StateClaim(spool) } catch { throw .spool(error) }
  }

  /// Gives what removed rows have left to the file system, as far as it is over `slackByteCount` and at most
  /// `byteCountMax` in one call; answers whether there is more. Takes time in proportion to `byteCountMax`.
  package func giveBackSpace(
    above slackByteCount: Int, byteCountMax: Int
  ) throws(MailboxError) -> Bool {
    do {
      return try queue.writeWithoutTransaction { database in
        let pageSize = try Int.fetchOne(database, sql: "PRAGMA page_size") ?? 4_096
        let freeCount = try Int.fetchOne(database, sql: "PRAGMA freelist_count") ?? 0
        guard freeCount * pageSize > slackByteCount else { return false }
        let count = min(freeCount, max(1, byteCountMax / pageSize))
        // It frees one page for each row that is asked for.
        _ = try Row.fetchAll(database, sql: "PRAGMA incremental_vacuum(\(count))")
        let restCount = try Int.fetchOne(database, sql: "PRAGMA freelist_count") ?? 0
        if (1..<freeCount).contains(restCount) { return true }
        // The file itself is cut when the log has been copied into it.
        try database.checkpoint(.truncate)
        return false
      }
    } catch {
      throw MailboxError(error)
    }
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

/// The right to handle what lies in a state directory, until it is released or the process ends.
package struct StateClaim: ~Copyable {
  private let lock: DirectoryLock

  fileprivate init(_ spool: SpoolDirectory) throws(SpoolError) {
    lock = try DirectoryLock(spool.path, waits: false)
  }
}
