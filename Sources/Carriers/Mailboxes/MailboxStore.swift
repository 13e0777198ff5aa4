import Foundation
import GRDB
package import Host
package import MessageFormat
import Spool

/// Sealed messages at rest: each stored once, in the mailboxes of its recipients, in order, until it is removed from the
/// last one. Durable before anything is said about it.
///
/// Small messages lie in the database, so that a hundred of them cost one sync; larger ones in a file each.
package struct MailboxStore: Sendable {
  /// From this size on a message is a file: SQLite writes a blob twice, once into its log.
  package static let inlineByteCountMax: UInt64 = 512 * 1_024

  package let state: StateDatabase

  let clock: StoreClock

  /// `sinceBoot`: what messages grow old by.
  package init(
    state: StateDatabase, sinceBoot: @escaping @Sendable () -> BootTime = BootTime.now
  ) throws {
    self.state = state
    clock = StoreClock(sinceBoot: sinceBoot)
    try reconcileFiles()
  }

  /// Only looks: changes nothing, and makes nothing.
  package init(reading state: StateDatabase) {
    self.state = state
    clock = StoreClock(sinceBoot: BootTime.now)
  }

  /// A message that is stored whole already needs no second deposit.
  package func contains(_ id: MessageID) throws(MailboxError) -> Bool {
    try reading { database in try Self.contains(id, in: database) }
  }

  static func contains(_ id: MessageID, in database: Database) throws -> Bool {
    let statement = try database.cachedStatement(
      sql: "SELECT EXISTS (SELECT 1 FROM message WHERE id = ?)")
    return try Bool.fetchOne(statement, arguments: [Data(id.bytes)]) ?? false
  }

  /// The first message of `mailbox` behind `position`.
  package func first(
    in mailbox: Mailbox, after position: UInt64 = 0
  ) throws(MailboxError) -> StoredMessage? {
    try messages(in: mailbox, after: position, countMax: 1).first
  }

  /// The first messages of `mailbox` behind `position`, in order.
  package func messages(
    in mailbox: Mailbox, after position: UInt64 = 0, countMax: Int
  ) throws(MailboxError) -> [StoredMessage] {
    try deliveries(
      of: mailbox, where: "position > ? ORDER BY position LIMIT ?",
      [Int64(clamping: position), countMax])
  }

  /// `nil`: that mailbox does not hold the message.
  package func message(
    _ id: MessageID, in mailbox: Mailbox
  ) throws(MailboxError) -> StoredMessage? {
    try deliveries(of: mailbox, where: "id = ?", [Data(id.bytes)]).first
  }

  private func deliveries(
    of mailbox: Mailbox, where condition: String, _ arguments: StatementArguments
  ) throws(MailboxError) -> [StoredMessage] {
    try reading { database in
      try Row.fetchAll(
        database.cachedStatement(
          sql: """
            SELECT position, id, chunkCount, byteCount, depositor, receivedAt
            FROM delivery JOIN message ON message.id = delivery.message
            WHERE mailbox = ? AND \(condition)
            """),
        arguments: [mailbox] + arguments
      ).map { try StoredMessage(row: $0, mailbox: mailbox, state: state) }
    }
  }

  /// For few statements that need not see one and the same state.
  func reading<Value>(_ body: (Database) throws -> Value) throws(MailboxError) -> Value {
    do { return try state.reading(body) } catch { throw MailboxError(error) }
  }

  /// For removals: what is removed once more, or collected once more, does no harm.
  func writing<Value>(_ body: (Database) throws -> Value) throws(MailboxError) -> Value {
    do { return try state.writeUnsynced(body) } catch { throw MailboxError(error) }
  }
}
