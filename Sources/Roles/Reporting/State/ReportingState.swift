import GRDB
import Mailboxes

/// What was told and what is still to be told, kept over restarts.
struct ReportingState: Sendable {
  let database: StateDatabase

  /// Makes it where it is missing.
  init(below signer: String) throws {
    database = try StateDatabase.reporting(below: Self.directory(below: signer))
  }

  /// Only looks; `nil`: nothing was ever to be told.
  init?(readingBelow signer: String) throws(MailboxError) {
    let directory = Self.directory(below: signer)
    guard try StateDatabase.isThere(in: directory) else { return nil }
    database = try StateDatabase(reading: directory)
  }

  private static func directory(below signer: String) -> String { signer + "/reporting" }

  func reading<Value>(_ body: (Database) throws -> Value) throws -> Value {
    try database.reading(body)
  }

  func writing<Value>(_ body: (Database) throws -> Value) throws -> Value {
    try database.queue.write(body)
  }
}
