import Foundation
import GRDB
package import MessageFormat

/// A message that waits in a store of ours to be handed over to a carrier.
package struct WaitingMessage: Sendable {
  package let message: StoredMessage
  /// Those of its mailboxes that still wait.
  package let mailboxes: [Mailbox]
  package let slot: Slot?

  package init(message: StoredMessage, mailboxes: [Mailbox], slot: Slot?) {
    self.message = message
    self.mailboxes = mailboxes
    self.slot = slot
  }
}

extension MailboxStore {
  /// The oldest messages for `mailboxes`, in their order, each with those of `mailboxes` that it waits in, and of some
  /// mailboxes only what is smaller than that many bytes.
  package func outgoing(
    for mailboxes: Set<Mailbox>, smallerThan bounds: [Mailbox: UInt64] = [:], countMax: Int
  ) throws(MailboxError) -> [WaitingMessage] {
    let rows = try reading { database in
      let counts = try Self.waitingCounts(in: database)
      let wanted = counts.filter { mailboxes.contains($0.key) }
      let passedOverCount = counts.reduce(0) { $0 + (wanted[$1.key] == nil ? $1.value : 0) }
      // What waits for others must not be read again and again; nor is each of a thousand mailboxes asked for nothing.
      let deliveries =
        passedOverCount <= UInt64(wanted.count)
        ? try Self.deliveries(in: database)
          .take(for: mailboxes, smallerThan: bounds, countMax: countMax)
        : try wanted.keys.flatMap { mailbox in
          try Self.deliveries(to: mailbox, in: database)
            .take(for: [mailbox], smallerThan: bounds, countMax: countMax).joined()
        }.sorted { $0.position < $1.position }.grouped(countMax: countMax)
      return deliveries
    }
    do {
      return try rows.map { group in
        let first = group[0]
        return WaitingMessage(
          message: try StoredMessage(row: first.row, mailbox: first.mailbox, state: state),
          mailboxes: group.map(\.mailbox), slot: try first.row.decode(forColumn: "slot"))
      }
    } catch {
      throw MailboxError(error)
    }
  }

  /// Those of `mailboxes` in which something waits.
  package func waitingMailboxes(
    among mailboxes: Set<Mailbox>
  ) throws(MailboxError) -> Set<Mailbox> {
    mailboxes.intersection(try reading { try Self.waitingCounts(in: $0) }.keys)
  }

  private static func waitingCounts(in database: Database) throws -> [Mailbox: UInt64] {
    let rows = try Row.fetchCursor(
      database.cachedStatement(
        sql: "SELECT name, messageCount FROM usage WHERE role = 'mailbox' AND messageCount > 0"))
    var counts: [Mailbox: UInt64] = [:]
    while let row = try rows.next() {
      counts[try row.decode(forColumn: "name")] = try row.decode(forColumn: "messageCount")
    }
    return counts
  }

  private static func deliveries(
    to mailbox: Mailbox? = nil, in database: Database
  ) throws -> RowCursor {
    let statement = try database.cachedStatement(
      sql: """
        SELECT position, id, chunkCount, byteCount, depositor, receivedAt, mailbox, slot
        FROM delivery JOIN message ON message.id = delivery.message
        \(mailbox == nil ? "" : "WHERE mailbox = ?") ORDER BY position
        """)
    return try Row.fetchCursor(
      statement, arguments: mailbox.map { [$0] } ?? StatementArguments())
  }
}

private struct DeliveryRow {
  let row: Row
  let mailbox: Mailbox
  let position: UInt64
  let message: Data

  /// `row` is read on: what is kept is a copy.
  init(_ row: Row, to mailbox: Mailbox) throws {
    self.row = row.copy()
    self.mailbox = mailbox
    position = try row.decode(forColumn: "position")
    message = try row.decode(forColumn: "id")
  }
}

extension RowCursor {
  /// The first so many messages, each with its rows.
  fileprivate func take(
    for mailboxes: Set<Mailbox>, smallerThan bounds: [Mailbox: UInt64], countMax: Int
  ) throws -> [[DeliveryRow]] {
    var groups: [[DeliveryRow]] = []
    while let row = try next() {
      let mailbox: Mailbox = try row.decode(forColumn: "mailbox")
      guard mailboxes.contains(mailbox) else { continue }
      if let bound = bounds[mailbox], try row.decode(UInt64.self, forColumn: "byteCount") >= bound {
        continue
      }
      guard groups.add(try DeliveryRow(row, to: mailbox), countMax: countMax) else { break }
    }
    return groups
  }
}

extension [[DeliveryRow]] {
  /// Rows of one message lie together: they were written in one step. `false`: it would be one message too many.
  fileprivate mutating func add(_ delivery: DeliveryRow, countMax: Int) -> Bool {
    if let last = last?.first, last.message == delivery.message {
      self[count - 1].append(delivery)
      return true
    }
    guard count < countMax else { return false }
    append([delivery])
    return true
  }
}

extension [DeliveryRow] {
  fileprivate func grouped(countMax: Int) -> [[DeliveryRow]] {
    var groups: [[DeliveryRow]] = []
    for delivery in self where !groups.add(delivery, countMax: countMax) { break }
    return groups
  }
}
