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
      try Row.fetchCursor(
        database.cachedStatement(
          sql: """
            SELECT position, id, chunkCount, byteCount, depositor, receivedAt, mailbox, slot
            FROM delivery JOIN message ON message.id = delivery.message ORDER BY position
            """)
      ).takeGroups(for: mailboxes, smallerThan: bounds, countMax: countMax)
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
}

private struct DeliveryRow {
  let row: Row
  let mailbox: Mailbox
}

extension RowCursor {
  /// Rows of one message lie together: they were written in one step.
  fileprivate func takeGroups(
    for mailboxes: Set<Mailbox>, smallerThan bounds: [Mailbox: UInt64], countMax: Int
  ) throws -> [[DeliveryRow]] {
    var groups: [[DeliveryRow]] = []
    while let row = try next() {
      let mailbox: Mailbox = try row.decode(forColumn: "mailbox")
      guard mailboxes.contains(mailbox) else { continue }
      if let bound = bounds[mailbox], try row.decode(UInt64.self, forColumn: "byteCount") >= bound {
        continue
      }
      let copy = DeliveryRow(row: row.copy(), mailbox: mailbox)
      if let last = groups.last?.first?.row["id"] as Data?, last == row["id"] as Data {
        groups[groups.count - 1].append(copy)
      } else {
        if groups.count == countMax { break }
        groups.append([copy])
      }
    }
    return groups
  }
}
