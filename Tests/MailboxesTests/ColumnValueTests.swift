import Diagnostics
import Foundation
import GRDB
import GitModel
import Mailboxes
import MessageFormat
import TestSupport
import Testing

@Suite struct ColumnValueTests {
  struct Record: Codable, Equatable, FetchableRecord, PersistableRecord {
    static let databaseTableName = "record"

    let mailbox: Mailbox
    let revision: ObjectID
    let at: Timestamp
    let remote: RemoteName
    let ref: BranchName
    let number: UInt64
    let slot: Slot?
  }

  private static func database() throws -> DatabaseQueue {
    let queue = try DatabaseQueue()
    try queue.write {
      try $0.execute(sql: "CREATE TABLE record (mailbox, revision, at, remote, ref, number, slot)")
    }
    return queue
  }

  private static func record() throws -> Record {
    Record(
      mailbox: try #require(Mailbox([UInt8](repeating: 1, count: 32))),
      revision: try #require(ObjectID(bytes: [UInt8](repeating: 2, count: 20))),
      at: Timestamp(milliseconds: 3), remote: try RemoteName("git@example.org:shop.git"),
      ref: try #require(BranchName("main")), number: 5, slot: nil)
  }

  @Test func `a row comes back as it was written, each value as one column`() throws {
    let record = try Self.record()
    let (columns, read) = try Self.database().write { database in
      try record.insert(database)
      return (
        try Row.fetchOne(database, sql: "SELECT * FROM record"), try Record.fetchOne(database)
      )
    }
    #expect(read == record)
    #expect(columns?["mailbox"] == Data(record.mailbox.bytes))
    #expect(columns?["at"] == 3)
    #expect(columns?["ref"] == "refs/heads/main")
  }

  @Test(arguments: [
    ("mailbox", "x'0102'"), ("revision", "'text'"), ("revision", "NULL"), ("at", "-1"),
    ("remote", "''"), ("ref", "'main'"), ("ref", "'refs/heads/a..b'"), ("number", "-1"),
    ("slot", "x'01'"),
  ])
  func `a value that was never written is damage, named by its column alone`(
    column: String, value: String
  ) throws {
    let record = try Self.record()
    let error = try Self.database().write { database in
      try record.insert(database)
      try database.execute(sql: "UPDATE record SET \(column) = \(value)")
      return #expect(throws: RowDecodingError.self) { try Record.fetchOne(database) }
    }
    let found = MailboxError(try #require(error))
    #expect(found.code == .stateDamaged)
    #expect("\(found)".contains("'\(column)'"))
    #expect(!"\(found)".contains("example.org"))
  }

  @Test func `a message's row that cannot be read is damage, not a crash`() throws {
    let test = try Store()
    let mailbox = Mailbox(repeating: 1)
    try test.deposit(Letter(1), for: [mailbox])
    try test.store.state.queue.write {
      try $0.execute(sql: "UPDATE message SET receivedAt = 'x'")
    }
    let error = #expect(throws: MailboxError.self) { try test.store.first(in: mailbox) }
    #expect(error?.code == .stateDamaged)
  }
}
