import Foundation
package import GRDB
package import MessageFormat
import Spool

/// What a carrier is asked to put on its disk.
package enum Settlement {
  case message(MessageWriter)
  /// More mailboxes for a message that is stored.
  case offer(DepositOffer, from: Mailbox)
  case removal(StoredMessage)

  fileprivate var message: MessageWriter? {
    if case .message(let message) = self { message } else { nil }
  }

  fileprivate var isRemoval: Bool { if case .removal = self { true } else { false } }
}

extension MailboxStore {
  /// Any number of whole messages in one durable step; `also` runs in the same transaction, and what it throws undoes
  /// all of it. Everything else that is thrown is a `MailboxError`.
  ///
  /// After an error nothing of them is stored, and a message that is tried again is made anew.
  package func commit(
    _ messages: [MessageWriter], at time: Timestamp, also: (Database) throws -> Void = { _ in }
  ) throws {
    try insert(messages) { database in
      var abandoned: [MessageID] = []
      let arrival = try arrival(at: time, in: database)
      for message in messages { abandoned += try message.insert(into: database, at: arrival) }
      try also(database)
      return abandoned
    }
  }

  /// What a carrier's readers and senders have asked for, in one step and in their order, which is the mailboxes' order
  /// as well: durable, unless there is nothing but removals.
  ///
  /// Answers for each offer whether its message still is stored.
  package func settle(
    _ settlements: [Settlement], at time: Timestamp
  ) throws(MailboxError) -> [Bool] {
    var isThere: [Bool] = []
    func settle(in database: Database) throws -> [MessageID] {
      var abandoned: [MessageID] = []
      let arrival = try arrival(at: time, in: database)
      for settlement in settlements {
        switch settlement {
        case .message(let message): abandoned += try message.insert(into: database, at: arrival)
        case .offer(let offer, let depositor):
          let stored = try Self.stored(offer, from: depositor, in: database)
          guard case .without(let mailboxes) = stored else {
            isThere.append(false)
            continue
          }
          isThere.append(true)
          abandoned += try Self.deliver(offer, to: mailboxes, from: depositor, in: database)
        case .removal(let message):
          try Self.remove(message, in: database)
          if message.isFile { abandoned.append(message.id) }
        }
      }
      return abandoned
    }
    if settlements.allSatisfy(\.isRemoval) {
      var abandoned: [MessageID] = []
      try writing { database in abandoned = try settle(in: database) }
      try removeFiles(abandoned)
      return []
    }
    do { try insert(settlements.compactMap(\.message), settle) } catch { throw MailboxError(error) }
    return isThere
  }

  private func arrival(at time: Timestamp, in database: Database) throws -> ArrivalTime {
    ArrivalTime(wall: time, age: try clock.advance(at: time, in: database))
  }

  /// Makes the messages durable, which `body` inserts; that answers the files that may have lost their last mailbox.
  ///
  /// Files get and lose their names only within write transactions: another process that works on the same state, a
  /// second push at the same time, sees a file and its row together or neither.
  private func insert(
    _ messages: [MessageWriter], _ body: (Database) throws -> [MessageID]
  ) throws {
    var abandoned: [MessageID] = []
    // A database that was deleted takes everything, and keeps nothing.
    try state.requireInPlace()
    do {
      for message in messages { try message.sync() }
      do {
        try state.queue.write { database in abandoned = try body(database) }
      } catch {
        // Whatever failed, and be it the commit: of these there are no rows.
        try writing { database in
          for message in messages where try !Self.contains(message.offer.id, in: database) {
            try message.unlinkFile()
          }
        }
        throw error
      }
    } catch let error as SpoolError {
      throw MailboxError.spool(error)
    } catch let error as DatabaseError {
      throw MailboxError(error)
    }
    try removeFiles(abandoned)
  }

  /// Answers the files that lost their last mailbox by it.
  static func deliver(
    _ offer: DepositOffer, to mailboxes: [Mailbox], from depositor: Mailbox, in database: Database
  ) throws -> [MessageID] {
    let statement = try database.cachedStatement(
      sql: "INSERT INTO delivery (mailbox, message, slot) VALUES (?, ?, ?)")
    var abandoned: [MessageID] = []
    for mailbox in mailboxes {
      if let slot = offer.slot {
        abandoned += try clear(slot, of: mailbox, from: depositor, in: database)
      }
      try statement.execute(arguments: [
        Data(mailbox.bytes), Data(offer.id.bytes), offer.slot.map { Data($0.bytes) },
      ])
    }
    return abandoned
  }

  private static func clear(
    _ slot: Slot, of mailbox: Mailbox, from depositor: Mailbox, in database: Database
  ) throws -> [MessageID] {
    let rows = try Row.fetchAll(
      database.cachedStatement(
        sql: """
          SELECT id, byteCount FROM delivery JOIN message ON message.id = delivery.message
          WHERE mailbox = ? AND slot = ? AND depositor = ?
          """),
      arguments: [Data(mailbox.bytes), Data(slot.bytes), Data(depositor.bytes)])
    var abandoned: [MessageID] = []
    for row in rows {
      guard let id = MessageID(Array(row["id"] as Data)) else {
        preconditionFailure("the database holds a name that is not 32 bytes")
      }
      try remove(id, from: mailbox, in: database)
      if (row["byteCount"] as Int64) > Int64(inlineByteCountMax) { abandoned.append(id) }
    }
    return abandoned
  }
}
