import GRDB
package import MessageFormat

/// How much of a large message a broker has confirmed, which cannot be asked: known after the end of the program, and
/// forgotten with the message. A row that a power cut takes costs sending that part again.
extension MailboxStore {
  /// So many chunks of it, from the first on.
  package func notePublished(
    _ count: UInt32, of id: MessageID, into mailbox: Mailbox, at place: String
  ) throws(MailboxError) {
    try writing { database in
      // Another run may have handed it over meanwhile.
      try database.execute(
        sql: """
          INSERT OR REPLACE INTO published SELECT message, mailbox, ?, ? FROM delivery
          WHERE message = ? AND mailbox = ? LIMIT 1
          """, arguments: [place, count, id.column, mailbox.column])
    }
  }

  package func publishedCount(
    of id: MessageID, into mailbox: Mailbox, at place: String
  ) throws(MailboxError) -> UInt32 {
    try reading { database in
      try UInt32.fetchOne(
        database.cachedStatement(
          sql: "SELECT chunkCount FROM published WHERE message = ? AND mailbox = ? AND place = ?"),
        arguments: [id.column, mailbox.column, place]) ?? 0
    }
  }
}
