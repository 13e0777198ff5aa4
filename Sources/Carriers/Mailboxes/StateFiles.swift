import Foundation
import GRDB
import Spool

/// The files of a state directory, beside its spool.
struct StateFiles {
  let directory: String
  /// SQLite's file.
  let database: String

  /// Says that the state was made: from then on a database that is missing or empty is damage, not a new state.
  private var mark: String { directory + "/made" }

  init(_ directory: String) {
    self.directory = directory
    database = directory + "/state.sqlite"
  }

  func isThere() throws(MailboxError) -> Bool {
    if try size(of: database) != nil { return true }
    return try size(of: mark) != nil
  }

  /// SQLite itself would begin a new database in silence.
  func requireDatabaseOnceMade() throws(MailboxError) {
    guard try size(of: mark) != nil else { return }
    guard let size = try size(of: database) else {
      throw .damaged(path: database, reason: "the database is missing")
    }
    guard size > 0 else { throw .damaged(path: database, reason: "the database is empty") }
  }

  static func tableCount(in database: Database) throws -> Int? {
    try Int.fetchOne(database, sql: "SELECT COUNT(*) FROM sqlite_schema")
  }

  /// Its tables may all have been in the log, and gone with it.
  func requireTablesOnceMade(_ tableCount: Int?) throws(MailboxError) {
    guard tableCount ?? 0 == 0, try size(of: mark) != nil else { return }
    throw .damaged(path: database, reason: "the database has lost its tables")
  }

  /// After the database is there with its tables.
  func markMade() throws(SpoolError) {
    let mark = SpoolDirectory(existing: directory)
    guard !mark.contains("made") else { return }
    try mark.makeEmpty("made")
  }

  private func size(of path: String) throws(MailboxError) -> Int? {
    do throws(SpoolError) {
      return try SpoolDirectory(existing: directory).size(of: path)
    } catch {
      throw .spool(error)
    }
  }

  // MARK: - Looking

  /// SQLite's log needs a file of shared memory, which only a process that may write can make (sqlite.org/wal.html,
  /// "Read-Only Databases"). Where a daemon runs, it is there. Where none does, the database does not change: its log is
  /// read without, and without a log the database is taken as it is.
  func openForReading() throws(MailboxError) -> DatabaseQueue {
    try requireDatabaseOnceMade()
    guard try size(of: database) != nil else {
      throw .spool(.cannot(operation: "open", path: database, code: ENOENT))
    }
    let hasLog = try size(of: database + "-wal") ?? 0 > 0
    guard hasLog else { return try open("mode=ro&immutable=1") }
    if try size(of: database + "-shm") != nil {
      do throws(MailboxError) {
        return try open("mode=ro&readonly_shm=1")
      } catch .state(_, let error)
        where [.SQLITE_READONLY, .SQLITE_CANTOPEN].contains(error.resultCode)
      {
        // Left over from a process that was killed: it is out of date.
      }
    }
    return try open("mode=ro&vfs=unix-none", isAlone: true)
  }

  private func open(
    _ parameters: String, isAlone: Bool = false
  ) throws(MailboxError) -> DatabaseQueue {
    var configuration = Configuration()
    configuration.readonly = true
    configuration.busyMode = .timeout(5)
    if isAlone {
      configuration.prepareDatabase { try $0.execute(sql: "PRAGMA locking_mode = EXCLUSIVE") }
    }
    var allowed = CharacterSet.urlPathAllowed
    allowed.remove(charactersIn: ";?#%")
    let path = database.addingPercentEncoding(withAllowedCharacters: allowed) ?? database
    do {
      let queue = try DatabaseQueue(
        path: "file:\(path)?\(parameters)", configuration: configuration)
      try requireTablesOnceMade(try queue.read(Self.tableCount))
      return queue
    } catch let error as DatabaseError {
      throw MailboxError(error, at: database)
    } catch {
      throw MailboxError(error)
    }
  }
}
