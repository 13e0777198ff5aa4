import Foundation
import GRDB
package import GitModel
package import Mailboxes
package import MessageFormat

/// What the signer must not forget: sealed messages that nobody has stored yet, each stream's last sequence, every answer.
package struct Outbox: Sendable {
  /// Where a stream stands: the last message that was made of it.
  package struct StreamHead: Hashable, Sendable {
    package let sequence: UInt64
    package let revision: ObjectID
    package let digest: ContentDigest
  }

  /// What is older is forgotten: the messages of a stream up to so many before its last one.
  package static let sentCountMax: UInt64 = 10_000

  let store: MailboxStore
  private let sentCountMax: UInt64

  package init(
    directory: String, sentCountMax: UInt64 = sentCountMax
  ) throws(SignerError) {
    self.sentCountMax = sentCountMax
    do {
      store = try MailboxStore(state: StateDatabase.signer(directory: directory))
    } catch {
      throw .mailbox(MailboxError(error))
    }
  }

  /// For a daemon, of which there must be one: a `SignerError` otherwise.
  package func claim() throws(SignerError) -> StateClaim {
    do { return try store.state.claim() } catch { throw .mailbox(error) }
  }

  /// `nil`: nothing was ever sent on this stream.
  package func head(of stream: StreamName) throws(SignerError) -> StreamHead? {
    try reading { database in
      let row = try Row.fetchOne(
        database, sql: "SELECT sequence, revision, digest FROM stream WHERE remote = ? AND ref = ?",
        arguments: [stream.remote.text, stream.branch.fullName])
      guard let row else { return nil }
      guard let revision = ObjectID(bytes: row["revision"] as Data),
        let digest = ContentDigest(Array(row["digest"] as Data))
      else { throw SignerError.state("the stream \(stream) is damaged") }
      return StreamHead(
        sequence: UInt64(row["sequence"] as Int64), revision: revision, digest: digest)
    }
  }

  /// The stream leads to another revision without a message: its next heartbeat says so. Nothing happens where a message
  /// was sent since.
  func lead(
    _ stream: StreamName, from head: StreamHead, to revision: ObjectID
  ) throws(SignerError) {
    try writing { database in
      try database.execute(
        sql: "UPDATE stream SET revision = ? WHERE remote = ? AND ref = ? AND sequence = ?",
        arguments: [
          Data(revision.bytes), stream.remote.text, stream.branch.fullName, Int64(head.sequence),
        ])
    }
  }

  /// The sealed message and the stream's new sequence number, in one durable step.
  package func store(
    _ sealed: MessageWriter, of message: Message, digest: ContentDigest,
    names: [Mailbox: String]
  ) throws {
    try store.commit([sealed], at: message.createdAt) { database in
      let stream = try advance(message, digest: digest, in: database)
      try database.execute(
        sql: "INSERT INTO sent VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        arguments: [
          Data(sealed.offer.id.bytes), stream, Int64(message.sequence),
          message.before.map { Data($0.revision.bytes) }, Data(message.after.revision.bytes),
          message.payload.kind.text,
          Int64(sealed.offer.size.byteCount), Int64(message.createdAt.milliseconds),
        ])
      for recipient in message.recipients {
        let name = names[recipient] ?? recipient.abbreviated
        try database.execute(
          sql: "INSERT INTO answer (message, recipient, name, state) VALUES (?, ?, ?, 'waiting')",
          arguments: [Data(sealed.offer.id.bytes), Data(recipient.bytes), name])
        try Self.register(recipient, name, of: stream, in: database)
      }
      try forget(before: message.sequence, of: stream, in: database)
    }
  }

  /// Nobody asks for these any more, but for what is yet to be handed over. A machine that is at an older revision gets a
  /// pack instead of a patch.
  private func forget(before sequence: UInt64, of stream: Int64, in database: Database) throws {
    guard sequence > sentCountMax else { return }
    let arguments: StatementArguments = [stream, Int64(sequence - sentCountMax)]
    let old = """
      FROM sent WHERE stream = ? AND sequence <= ? AND message NOT IN (SELECT id FROM message)
      """
    try database.execute(
      sql: "DELETE FROM answer WHERE message IN (SELECT message \(old))", arguments: arguments)
    try database.execute(sql: "DELETE \(old)", arguments: arguments)
  }

  private func advance(
    _ message: Message, digest: ContentDigest, in database: Database
  ) throws -> Int64 {
    // Two runs at once would use a number twice: the second finds the stream moved and fails.
    try database.execute(
      sql: """
        INSERT INTO stream (remote, ref, sequence, revision, digest) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (remote, ref) DO UPDATE SET sequence = ?3, revision = ?4, digest = ?5
        WHERE sequence = ?3 - 1
        """,
      arguments: [
        message.stream.remote.text, message.stream.branch.fullName, Int64(message.sequence),
        Data(message.after.revision.bytes), Data(digest.bytes),
      ])
    guard database.changesCount == 1,
      let stream = try Int64.fetchOne(
        database, sql: "SELECT id FROM stream WHERE remote = ? AND ref = ?",
        arguments: [message.stream.remote.text, message.stream.branch.fullName])
    else {
      throw SignerError.streamMoved(message.stream)
    }
    return stream
  }

  /// A carrier has the message on its disk, for these mailboxes: it leaves them here.
  package func markStored(_ outgoing: WaitingMessage, at time: Timestamp) throws(SignerError) {
    let id = outgoing.message.id
    try writing { database in
      for mailbox in outgoing.mailboxes {
        try MailboxStore.remove(id, from: mailbox, in: database)
        try database.execute(
          sql: """
            UPDATE answer SET storedAt = ?, state = CASE state WHEN 'waiting' THEN 'stored' ELSE state END
            WHERE message = ? AND recipient = ?
            """,
          arguments: [Int64(time.milliseconds), Data(id.bytes), Data(mailbox.bytes)])
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
    error as? SignerError ?? .mailbox(MailboxError(error))
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
