import GRDB
import Spool

extension MailboxError {
  /// `nil`: the error is none of a database's.
  package init?(ofDatabase error: any Error) {
    guard error is DatabaseError || error is RowDecodingError else { return nil }
    self.init(error)
  }

  /// GRDB throws errors of SQLite, and of rows that are not what we write, as long as the statements are ours.
  package init(_ error: any Error) {
    switch error {
    case let error as MailboxError: self = error
    case let error as SpoolError: self = .spool(error)
    case let error as DatabaseError: self.init(error, at: nil)
    case let error as RowDecodingError: self = .damaged(path: nil, reason: error.summary)
    default: self = .database(DatabaseError(message: "\(error)"))
    }
  }

  /// `path`: of the database, where it is being opened.
  init(_ error: DatabaseError, at path: String?) {
    if Self.isDamage(error) {
      self = .damaged(path: path, reason: error.message ?? "\(error.resultCode)")
    } else if let path {
      self = .state(path: path, error)
    } else {
      self = .database(error)
    }
  }

  /// Our statements are right: a table or column that is not there is another database's.
  private static func isDamage(_ error: DatabaseError) -> Bool {
    switch error.resultCode {
    case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_FORMAT: true
    case .SQLITE_READONLY: error.extendedResultCode == .SQLITE_READONLY_DBMOVED
    case .SQLITE_IOERR: error.extendedResultCode == .SQLITE_IOERR_SHORT_READ
    case .SQLITE_ERROR:
      ["no such table", "no such column"].contains { error.message?.hasPrefix($0) == true }
    default: false
    }
  }
}

extension RowDecodingError {
  /// What cannot be read, without the row's values, among which are the names of repositories.
  fileprivate var summary: String {
    let text = description
    let what = text.range(of: " from database value").map { text[..<$0.lowerBound] } ?? text[...]
    let column = text.firstMatch(of: /column: "(\w+)"/).map { " in column '\($0.1)'" } ?? ""
    return "\(what.prefix(100))\(column)"
  }
}
