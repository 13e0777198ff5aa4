import Foundation
import GRDB
import GitModel
package import Host
package import Mailboxes
package import MessageFormat

/// What the signer must not forget: sealed messages that no carrier has stored yet, each stream's head, every answer.
package struct Outbox: Sendable {
  package let store: MailboxStore
  let memory: OutboxMemory

  package init(
    directory: String, memory: OutboxMemory = OutboxMemory(),
    sinceBoot: @escaping @Sendable () -> BootTime = BootTime.now
  ) throws(SignerError) {
    self.memory = memory
    do {
      store = try MailboxStore(
        state: StateDatabase.signer(directory: directory), sinceBoot: sinceBoot)
    } catch {
      throw Self.wrapped(error)
    }
  }

  /// Only looks: changes nothing, and makes nothing.
  package init(reading directory: String) throws(SignerError) {
    memory = OutboxMemory()
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
      return try store.state.giveBackSpace()
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
          message.after.revision, message.after.tree, message.payload?.kind.text ?? "revision",
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
      try forget(behind: message, of: stream, in: database)
    }
  }

  private func advance(
    _ message: Message, digest: ContentDigest, movesHead: Bool, in database: Database
  ) throws -> Int64 {
    try database.cachedStatement(
      sql: """
        INSERT INTO stream (remote, ref, sequence, revision, tree, digest)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (remote, ref) DO UPDATE SET sequence = ?3, digest = ?6,
        revision = iif(?7, ?4, revision), tree = iif(?7, ?5, tree)
        """
    ).execute(arguments: [
      message.stream.remote, message.stream.branch, Int64(message.sequence),
      message.after.revision, message.after.tree, digest, movesHead,
    ])
    guard let stream = try Self.number(of: message.stream, in: database) else {
      throw SignerError.state("the stream \(message.stream) is missing")
    }
    return stream
  }

  /// A carrier has the messages on its disk, for these mailboxes: they leave them here, all in one step.
  package func markStored(_ outgoing: [WaitingMessage], at time: Timestamp) throws(SignerError) {
    try writing { database in
      try MailboxStore.remove(outgoing, in: database)
      let statement = try database.cachedStatement(
        sql: """
          UPDATE answer SET storedAt = ?, state = iif(state = 'waiting', 'stored', state)
          WHERE message = ? AND recipient = ?
          """)
      for waiting in outgoing {
        for mailbox in waiting.mailboxes {
          try statement.execute(arguments: [time, waiting.message.id, mailbox])
        }
      }
    }
    do throws(MailboxError) {
      try store.removeFiles(of: outgoing)
    } catch {
      throw .mailbox(error)
    }
  }

  func reading<Value>(_ body: (Database) throws -> Value) throws(SignerError) -> Value {
    do { return try store.state.reading(body) } catch { throw Self.wrapped(error) }
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
