import GRDB
package import MessageFormat
import Spool

/// Large messages that are on their way in, across the ends of the program.
///
/// The connection that works at one holds its file's lock. A file gets and loses its name in the transaction that changes its row.
extension MailboxStore {
  /// A message of which an earlier run may have kept the beginning, and which keeps its own for a later one.
  package func resume(
    _ offer: DepositOffer, from depositor: Mailbox
  ) throws(MailboxError) -> MessageWriter {
    guard offer.size.byteCount > MessageWriter.keptByteCountMin else {
      return try MessageWriter(offer, from: depositor, into: self)
    }
    let kept = try reading { try Partial.find(offer.id, from: depositor, in: $0) }
    let message: MessageWriter? =
      if kept == nil { nil } else { try writing { try takeUp(offer, from: depositor, in: $0) } }
    if let message { return message }
    return try MessageWriter(keeping: offer, from: depositor, into: self)
  }

  /// Those that no connection is at, as far as they were kept.
  package func unfinished() throws(MailboxError) -> [MessageWriter] {
    guard try !reading({ try Partial.all(in: $0) }).isEmpty else { return [] }
    return try writing { database in
      try Partial.all(in: database).compactMap { try takeUp($0, in: database) }
    }
  }

  /// How much of messages that are not whole is kept on the disk, for each of their mailboxes.
  package func unfinishedByteCounts() throws(MailboxError) -> [Mailbox: UInt64] {
    var counts: [Mailbox: UInt64] = [:]
    for partial in try reading({ try Partial.all(in: $0) }) {
      for mailbox in partial.offer.mailboxes { counts[mailbox, default: 0] += partial.byteCount }
    }
    return counts
  }

  /// Nothing is kept of them any more.
  package func discard(_ messages: [MessageWriter]) throws(MailboxError) {
    guard !messages.isEmpty else { return }
    try writing { database in
      for message in messages { try message.removePartial(in: database) }
    }
  }

  private func takeUp(
    _ offer: DepositOffer, from depositor: Mailbox, in database: Database
  ) throws -> MessageWriter? {
    guard let partial = try Partial.find(offer.id, from: depositor, in: database),
      let message = try takeUp(partial, in: database)
    else { return nil }
    guard message.offer == offer else {
      try message.removePartial(in: database)
      return nil
    }
    return message
  }

  /// Committing or discarding a message needs this transaction as well: a file that can be locked here is not in use.
  private func takeUp(_ partial: Partial, in database: Database) throws -> MessageWriter? {
    if let file = try SpoolFile.reopen(state.spool.path(of: partial.file)) {
      guard try file.lock() else { return nil }
      if file.size >= partial.fileByteCount {
        // What lies behind was never synced.
        try file.truncate(to: partial.fileByteCount)
        return MessageWriter(partial, in: file, into: self)
      }
    }
    try partial.remove(in: database)
    try state.spool.remove(partial.file)
    return nil
  }
}
