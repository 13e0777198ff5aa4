import Foundation
package import GRDB
package import MessageFormat
import Spool

extension MailboxStore {
  /// Any number of whole messages in one durable step; `also` runs in the same transaction, and what it throws undoes
  /// all of it. Everything else that is thrown is a `MailboxError`.
  ///
  /// After an error nothing of them is stored, and a message that is tried again is made anew.
  ///
  /// Files get and lose their names only within write transactions: another process that works on the same state, a
  /// second push at the same time, sees a file and its row together or neither.
  package func commit(
    _ messages: [IncomingMessage], at time: Timestamp, also: (Database) throws -> Void = { _ in }
  ) throws {
    var abandoned: [MessageID] = []
    do {
      for message in messages { try message.sync() }
      try state.queue.write { database in
        do {
          for message in messages { abandoned += try message.insert(into: database, at: time) }
          try also(database)
        } catch {
          for message in messages { try message.unlinkFile() }
          throw error
        }
      }
    } catch let error as SpoolError {
      throw MailboxError.spool(error)
    } catch let error as DatabaseError {
      throw MailboxError.database(error)
    }
    try removeFiles(abandoned)
  }

  /// What a carrier's readers and senders have asked for, in one step: durable, unless there is nothing but removals.
  ///
  /// Answers for each of `offers`, messages that are stored already and get more mailboxes, whether they still are.
  package func settle(
    _ messages: [IncomingMessage], offers: [(offer: DepositOffer, depositor: Mailbox)],
    removing removed: [StoredMessage], at time: Timestamp
  ) throws(MailboxError) -> [Bool] {
    let files = removed.filter(\.isFile).map(\.id)
    if messages.isEmpty && offers.isEmpty {
      try writing { database in
        for message in removed { try Self.remove(message, in: database) }
      }
      try removeFiles(files)
      return []
    }
    var abandoned: [MessageID] = []
    var isThere: [Bool] = []
    do {
      try commit(messages, at: time) { database in
        for message in removed { try Self.remove(message, in: database) }
        for (offer, depositor) in offers {
          let stored = try Self.stored(offer, from: depositor, in: database)
          if case .without(let mailboxes) = stored {
            abandoned += try Self.deliver(offer, to: mailboxes, from: depositor, in: database)
            isThere.append(true)
          } else {
            isThere.append(false)
          }
        }
      }
    } catch {
      throw MailboxError(error)
    }
    try removeFiles(files + abandoned)
    return isThere
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
