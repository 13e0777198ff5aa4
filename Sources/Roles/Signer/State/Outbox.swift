import Foundation
import GRDB
import GitModel
package import Mailboxes
package import MessageFormat

/// What the signer must not forget: sealed messages that no carrier has stored yet, each stream's head, every answer.
package struct Outbox: Sendable {
  /// What is older is forgotten: the messages of a stream up to so many before its last one.
  package static let sentCountMax: UInt64 = 10_000
  /// Space of removed rows that is kept for the next ones.
  private static let slackByteCount = 4 << 20
  private static let returnedByteCountMax = 16 << 20

  package let store: MailboxStore
  private let sentCountMax: UInt64

  package init(
    directory: String, sentCountMax: UInt64 = sentCountMax
  ) throws(SignerError) {
    self.sentCountMax = sentCountMax
    do {
      store = try MailboxStore(state: StateDatabase.signer(directory: directory))
    } catch {
      throw Self.wrapped(error)
    }
  }

  /// Only looks: changes nothing, and makes nothing.
  package init(reading directory: String) throws(SignerError) {
    sentCountMax = Self.sentCountMax
    do {
      store = MailboxStore(reading: try StateDatabase(reading: directory))
    } catch {
      throw .mailbox(error)
    }
  }

  /// Throws when the state has been deleted or replaced: what is written then goes nowhere.
  package func requireState() throws(SignerError) {
    do { try store.state.requireInPlace() } catch { throw .mailbox(error) }
  }

  /// For a daemon, of which there must be one: a `SignerError` otherwise.
  package func claim() throws(SignerError) -> StateClaim {
    do { return try store.state.claim() } catch { throw .mailbox(error) }
  }

  /// Gives the space of removed rows back to the file system, a part at a time; returns whether more is left.
  package func giveBackSpace() throws(SignerError) -> Bool {
    do {
      return try store.state.giveBackSpace(
        above: Self.slackByteCount, byteCountMax: Self.returnedByteCountMax)
    } catch {
      throw .mailbox(error)
    }
  }

  /// The sealed message and the stream's new number, in one durable step. Throws `streamMoved`, and stores nothing, where
  /// the requirement is not met at that moment.
  ///
  /// `movesHead`: the stream leads to where the message leads from now on.
  func store(
    _ sealed: MessageWriter, of message: Message, digest: ContentDigest,
    names: [Mailbox: String], requiring requirement: HeadRequirement, movesHead: Bool
  ) throws {
    try store.commit([sealed], at: message.createdAt) { database in
      try requirement.require(in: database)
      let stream = try advance(message, digest: digest, movesHead: movesHead, in: database)
      try database.execute(
        sql: "INSERT INTO sent VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        arguments: [
          sealed.offer.id, stream, Int64(message.sequence), message.before?.revision,
          message.after.revision, message.after.tree, message.payload.kind.text,
          Int64(sealed.offer.size.byteCount), message.createdAt,
        ])
      let answer = try database.cachedStatement(
        sql: """
          INSERT INTO answer (message, recipient, stream, sequence, state)
          VALUES (?, ?, ?, ?, 'waiting')
          """)
      for recipient in message.recipients {
        let name = names[recipient] ?? recipient.abbreviated
        // First: the triggers of an answer change the recipient's row.
        try Self.register(recipient, name, of: stream, in: database)
        try answer.execute(arguments: [
          sealed.offer.id, recipient, stream, Int64(message.sequence),
        ])
      }
      try forget(before: message.sequence, of: stream, in: database)
    }
  }

  private func advance(
    _ message: Message, digest: ContentDigest, movesHead: Bool, in database: Database
  ) throws -> Int64 {
    try database.execute(
      sql: """
        INSERT INTO stream (remote, ref, sequence, revision, tree, digest)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (remote, ref) DO UPDATE SET sequence = ?3, digest = ?6,
        revision = iif(?7, ?4, revision), tree = iif(?7, ?5, tree)
        """,
      arguments: [
        message.stream.remote, message.stream.branch, Int64(message.sequence),
        message.after.revision, message.after.tree, digest, movesHead,
      ])
    guard let stream = try Self.number(of: message.stream, in: database) else {
      throw SignerError.state("the stream \(message.stream) is missing")
    }
    return stream
  }

  /// A recipient that is at an older revision gets a pack instead of a patch.
  private func forget(before sequence: UInt64, of stream: Int64, in database: Database) throws {
    guard sequence > sentCountMax else { return }
    let arguments: StatementArguments = [stream, Int64(sequence - sentCountMax)]
    let old = """
      FROM sent WHERE stream = ? AND sequence <= ?
      AND NOT EXISTS (SELECT 1 FROM message WHERE message.id = sent.message)
      """
    try database.execute(
      sql: "DELETE FROM answer WHERE message IN (SELECT message \(old))", arguments: arguments)
    try database.execute(sql: "DELETE \(old)", arguments: arguments)
  }

  /// A carrier has the message on its disk, for these mailboxes: it leaves them here.
  package func markStored(_ outgoing: WaitingMessage, at time: Timestamp) throws(SignerError) {
    let id = outgoing.message.id
    try writing { database in
      let statement = try database.cachedStatement(
        sql: """
          UPDATE answer SET storedAt = ?, state = iif(state = 'waiting', 'stored', state)
          WHERE message = ? AND recipient = ?
          """)
      for mailbox in outgoing.mailboxes {
        try MailboxStore.remove(id, from: mailbox, in: database)
        try statement.execute(arguments: [time, id, mailbox])
      }
    }
    do throws(MailboxError) {
      try store.removeFile(of: outgoing.message)
    } catch {
      throw .mailbox(error)
    }
  }

  func reading<Value>(_ body: (Database) throws -> Value) throws(SignerError) -> Value {
    do { return try store.state.queue.read(body) } catch { throw Self.wrapped(error) }
  }

  func writing<Value>(_ body: (Database) throws -> Value) throws(SignerError) -> Value {
    do { return try store.state.queue.write(body) } catch { throw Self.wrapped(error) }
  }

  private static func wrapped(_ error: any Error) -> SignerError {
    switch error {
    case let error as SignerError: error
    // Its text holds the row, and so names of repositories.
    case is RowDecodingError: .state("a row cannot be read")
    default: .mailbox(MailboxError(error))
    }
  }
}

extension PayloadDescription.Kind {
  /// As people and the state name it.
  var text: String {
    switch self {
    case .patch: "patch"
    case .pack: "pack"
    case .replacement: "replacement"
    }
  }
}
