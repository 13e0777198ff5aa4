package import GRDB
import Glibc
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

  /// What the database was when it was opened; another one at its path is none of ours.
  private let place: StatePlace

  /// Opens `directory`/state.sqlite, making both where they are missing, and brings the tables up to date.
  /// Throws `SpoolError`, or a `MailboxError`: `damaged` where the state was made once and its database is not there, or
  /// is none of ours.
  package init(directory: String, migrator: DatabaseMigrator) throws {
    if geteuid() == 0, let other = try SpoolDirectory(existing: directory).otherUser {
      throw MailboxError.ownedByAnother(path: other.path, user: other.user)
    }
    spool = try SpoolDirectory(directory + "/spool")
    // Neither turning the log on nor the migrations wait for each other: a daemon and a hook may both be the first.
    let lock = try DirectoryLock(directory)
    let files = StateFiles(directory)
    try files.requireDatabaseOnceMade()
    do {
      queue = try Self.open(files.database)
      try files.requireTablesOnceMade(try queue.inDatabase(StateFiles.tableCount))
      try migrator.migrate(queue)
    } catch let error as DatabaseError {
      throw MailboxError(error, at: files.database)
    }
    place = try StatePlace(files.database)
    try files.markMade()
    _ = consume lock
  }

  /// Opens what is there for looking: changes nothing, and makes nothing, on a full disk or a read-only file system as
  /// well, and as any user who may read it.
  package init(reading directory: String) throws(MailboxError) {
    spool = SpoolDirectory(existing: directory + "/spool")
    let files = StateFiles(directory)
    queue = try files.openForReading()
    do throws(SpoolError) {
      place = try StatePlace(files.database)
    } catch {
      throw .spool(error)
    }
  }

  /// Whether there is a state, whole or damaged.
  package static func isThere(in directory: String) throws(MailboxError) -> Bool {
    try StateFiles(directory).isThere()
  }

  private static func open(_ path: String) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.journalMode = .wal
    configuration.busyMode = .timeout(busySecondsMax)
    // It is before the log is turned on that it can take effect. Only where the file is new: elsewhere it would write a
    // page, which a full disk has no room for.
    configuration.prepareDatabase { database in
      guard try Int.fetchOne(database, sql: "PRAGMA page_count") == 0 else { return }
      try database.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
    }
    let queue = try DatabaseQueue(path: path, configuration: configuration)
    // Only here: where GRDB turns the log on, it sets NORMAL, after all that a configuration can say.
    try queue.inDatabase { database in
      try database.execute(
        sql: "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = \(logByteCountMax)")
    }
    return queue
  }

  /// For roles that work with the state for long: throws `damaged` when the database has been deleted or replaced, since
  /// what is written then goes nowhere.
  package func requireInPlace() throws(MailboxError) {
    guard !place.isStillThere else { return }
    throw .damaged(
      path: place.path, reason: "the database was deleted or replaced while it was in use")
  }

  /// Reads the whole database: throws `damaged` where SQLite finds it inconsistent.
  package func check() throws(MailboxError) {
    let flaw: String?
    do {
      flaw = try queue.inDatabase { try String.fetchOne($0, sql: "PRAGMA quick_check(1)") }
    } catch {
      throw MailboxError(error)
    }
    guard flaw == "ok" else { throw .damaged(path: place.path, reason: flaw ?? "no result") }
  }

  /// A larger database would take a start too long: its damage is found where it is read.
  private static let checkedByteCountMax = 64 << 20

  /// For a role that handles the messages here, which two must not do at once: a `MailboxError` with `isInUse`, or
  /// `damaged` where a database that is not large is not whole.
  package func claim() throws(MailboxError) -> StateClaim {
    let isSmall: Bool
    do throws(SpoolError) {
      isSmall = try spool.size(of: place.path) ?? 0 <= Self.checkedByteCountMax
    } catch {
      throw .spool(error)
    }
    if isSmall { try check() }
    do { return try StateClaim(spool) } catch { throw .spool(error) }
  }

  /// Whether a role handles what lies there. Takes the claim for a moment where none does.
  package static func isClaimed(in directory: String) throws(MailboxError) -> Bool {
    let spool = SpoolDirectory(existing: directory + "/spool")
    guard spool.isThere else { return false }
    do throws(SpoolError) {
      _ = try StateClaim(spool)
      return false
    } catch .inUse {
      return true
    } catch {
      throw .spool(error)
    }
  }

  /// Gives what removed rows have left to the file system, as far as it is over `slackByteCount` and at most
  /// `byteCountMax` in one call; answers whether there is more. Takes time in proportion to `byteCountMax`.
  package func giveBackSpace(
    above slackByteCount: Int = 4 << 20, byteCountMax: Int = 16 << 20
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

  /// For few statements that need not see one and the same state. Not `queue.read`: its PRAGMA query_only makes SQLite
  /// prepare every cached statement anew, which costs more than the reading.
  package func reading<Value>(_ body: (Database) throws -> Value) throws -> Value {
    try queue.inDatabase(body)
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
