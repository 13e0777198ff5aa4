import Foundation
import GRDB
package import MessageFormat

/// What an identity has in a store: as a depositor, or in its mailbox.
package struct Usage: Hashable, Sendable {
  package enum Role: String, Sendable { case depositor, mailbox }

  package let byteCount: UInt64
  package let messageCount: UInt64
  /// When its oldest message came in, by the wall clock of then: for people.
  package let oldest: Timestamp?
  /// How old that message is, by the store's clock.
  package let ageMilliseconds: UInt64?

  package init(
    byteCount: UInt64, messageCount: UInt64, oldest: Timestamp?, ageMilliseconds: UInt64?
  ) {
    (self.byteCount, self.messageCount) = (byteCount, messageCount)
    (self.oldest, self.ageMilliseconds) = (oldest, ageMilliseconds)
  }
}

/// What a store says of a message that is offered.
package struct OfferReport: Sendable {
  package enum Stored: Hashable, Sendable {
    case not
    /// It is there, and these of the offer's mailboxes do not hold it.
    case without([Mailbox])
    /// It is there from another depositor, and not in all of the offer's mailboxes.
    case fromAnother
  }

  package let stored: Stored
  package let depositor: Usage
  /// Of the offer's mailboxes, in their order.
  package let mailboxes: [(mailbox: Mailbox, usage: Usage)]
}

extension MailboxStore {
  /// All that decides on an offer.
  package func report(
    on offer: DepositOffer, from depositor: Mailbox
  ) throws(MailboxError) -> OfferReport {
    try reading { database in
      OfferReport(
        stored: try Self.stored(offer, from: depositor, in: database),
        depositor: try usage(of: depositor, as: .depositor, in: database),
        mailboxes: try offer.mailboxes.map {
          ($0, try usage(of: $0, as: .mailbox, in: database))
        })
    }
  }

  package func usage(of name: Mailbox, as role: Usage.Role) throws(MailboxError) -> Usage {
    try reading { database in try usage(of: name, as: role, in: database) }
  }

  /// In which something waits.
  package func mailboxes() throws(MailboxError) -> [Mailbox] {
    try reading { database in
      try Data.fetchAll(
        database, sql: "SELECT name FROM usage WHERE role = 'mailbox' AND messageCount > 0")
    }.compactMap { Mailbox(Array($0)) }
  }

  static func stored(
    _ offer: DepositOffer, from depositor: Mailbox, in database: Database
  ) throws -> OfferReport.Stored {
    let id = Data(offer.id.bytes)
    let holder = try Data.fetchOne(
      database.cachedStatement(sql: "SELECT depositor FROM message WHERE id = ?"), arguments: [id])
    guard let holder else { return .not }
    let statement = try database.cachedStatement(
      sql: "SELECT EXISTS (SELECT 1 FROM delivery WHERE message = ? AND mailbox = ?)")
    let missing = try offer.mailboxes.filter {
      try Bool.fetchOne(statement, arguments: [id, Data($0.bytes)]) != true
    }
    return missing.isEmpty || Array(holder) == depositor.bytes ? .without(missing) : .fromAnother
  }

  private func usage(
    of name: Mailbox, as role: Usage.Role, in database: Database
  ) throws -> Usage {
    // Positions grow with time, so the first is the oldest.
    let oldest =
      switch role {
      case .depositor: "SELECT id FROM message WHERE depositor = ?2 ORDER BY storedAt LIMIT 1"
      case .mailbox: "SELECT message FROM delivery WHERE mailbox = ?2 ORDER BY position LIMIT 1"
      }
    let row = try Row.fetchOne(
      database.cachedStatement(
        sql: """
          SELECT usage.byteCount, usage.messageCount, receivedAt, storedAt
          FROM usage LEFT JOIN message ON message.id = (\(oldest))
          WHERE role = ?1 AND name = ?2
          """), arguments: [role.rawValue, name])
    guard let row else {
      return Usage(byteCount: 0, messageCount: 0, oldest: nil, ageMilliseconds: nil)
    }
    let now = try clock.read(in: database)
    let storedAt = try row.decode(UInt64?.self, forColumn: "storedAt")
    return Usage(
      byteCount: UInt64(clamping: row["byteCount"] as Int64),
      messageCount: UInt64(clamping: row["messageCount"] as Int64),
      oldest: try row.decode(Timestamp?.self, forColumn: "receivedAt"),
      ageMilliseconds: storedAt.map { now - min(now, $0) })
  }
}
