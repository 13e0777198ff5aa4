import GRDB
package import Mailboxes
import MessageFormat

/// The messages that wait, and how often each was tried.
package struct Inbox: Sendable {
  /// Tried this often without an answer, a message is set aside: it ended the program each time. Not at the second time:
  /// a machine that is switched off, or out of memory, ends it as well.
  static let attemptCountMax = 6
  /// An attempt that took longer than its deadline counts for more: there the message is the cause, and two are enough.
  static let overdueAttemptCount = 3

  let store: MailboxStore
  let mailbox: Mailbox

  /// The first messages behind `position`, in order; where one was tried before, it comes alone.
  func next(countMax: Int, after position: UInt64) throws -> [StoredMessage] {
    try untried(of: store.messages(in: mailbox, after: position, countMax: countMax))
  }

  /// The same of messages that are known by their names, and may be gone.
  func next(of ids: [MessageID]) throws -> [StoredMessage] {
    try untried(of: ids.compactMap { try message($0) })
  }

  private func untried(of messages: [StoredMessage]) throws -> [StoredMessage] {
    let attempts = try attempts()
    guard !attempts.isEmpty, let first = messages.first else { return messages }
    if attempts[first.id] != nil { return [first] }
    return Array(messages.prefix { attempts[$0.id] == nil })
  }

  func message(_ id: MessageID) throws -> StoredMessage? {
    try store.message(id, in: mailbox)
  }

  /// How many messages wait.
  func count() throws -> Int {
    Int(clamping: try store.usage(of: mailbox, as: .mailbox).messageCount)
  }
}

// Attempts: of few messages at any time, those that are in hand, or were when a run ended.
extension Inbox {
  private struct AttemptRecord: Codable, FetchableRecord {
    let message: MessageID
    let count: Int
  }

  private func attempts() throws -> [MessageID: Int] {
    try store.state.reading { database in
      let records = try AttemptRecord.fetchAll(
        database.cachedStatement(sql: "SELECT message, count FROM attempt WHERE count > 0"))
      return Dictionary(uniqueKeysWithValues: records.map { ($0.message, $0.count) })
    }
  }

  func attemptCount(of id: MessageID) throws -> Int { try attempts()[id] ?? 0 }

  /// Outlives the program before the first byte of them is opened; it is crashes of ours that are counted.
  func countAttempt(of messages: [StoredMessage]) throws {
    try store.state.writeUnsynced { database in
      let statement = try database.cachedStatement(
        sql: """
          INSERT INTO attempt (message, count) VALUES (?, 1)
          ON CONFLICT (message) DO UPDATE SET count = count + 1
          """)
      for message in messages { try statement.execute(arguments: [message.id]) }
    }
  }

  /// The program ends, since these took longer than their deadline.
  func countOverdue(_ messages: [StoredMessage]) throws {
    try store.state.queue.write { database in
      let statement = try database.cachedStatement(
        sql: "UPDATE attempt SET count = count + ? WHERE message = ?")
      for message in messages {
        try statement.execute(arguments: [Self.overdueAttemptCount - 1, message.id])
      }
    }
  }

  /// For messages that ended neither in an answer nor in a crash: the machine failed, and they are tried again.
  func forgetAttempts(of messages: [StoredMessage]) throws {
    guard !messages.isEmpty else { return }
    try store.state.writeUnsynced { database in
      for message in messages { try Self.forgetAttempts(of: message.id, in: database) }
    }
  }

  /// A program that is told to stop in the middle of a message has not failed at it.
  package static func excuseAttempts(in store: MailboxStore) throws {
    try store.state.queue.write { database in
      try database.execute(sql: "UPDATE attempt SET count = count - 1 WHERE count > 0")
    }
  }

  static func forgetAttempts(of id: MessageID, in database: Database) throws {
    try database.cachedStatement(sql: "DELETE FROM attempt WHERE message = ?")
      .execute(arguments: [id])
  }
}
