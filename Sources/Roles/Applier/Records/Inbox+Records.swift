import GRDB
import GitModel
import Mailboxes
import MessageFormat

// What an applier remembers of its streams, read.
extension Inbox {
  /// `nil`: nothing of this signer's stream was seen yet.
  func seen(of message: Message) throws -> SeenRecord? {
    try fetch(
      "SELECT sequence, digest FROM seen WHERE signer = ? AND remote = ? AND ref = ?",
      [message.signer, message.stream.remote, message.stream.branch])
  }

  /// Who has led a checkout here to a revision, or from it; `nil`: nobody.
  func sender(of revision: ObjectID, on stream: StreamName) throws -> Mailbox? {
    try store.state.queue.read { database in
      try SignerRecord.fetchOne(
        database, sql: "SELECT signer FROM applied WHERE remote = ? AND ref = ? AND revision = ?",
        arguments: [stream.remote, stream.branch, revision])?.signer
    }
  }

  private struct SignerRecord: Codable, FetchableRecord { let signer: Mailbox }

  /// The last that came of any of these signers.
  func heard(of stream: StreamName, by signers: Set<Mailbox>) throws -> HeartbeatRecord? {
    try store.state.queue.read { database in
      let records = try HeartbeatRecord.fetchCursor(
        database,
        sql: "SELECT * FROM heartbeat WHERE remote = ? AND ref = ? ORDER BY number DESC",
        arguments: [stream.remote, stream.branch])
      while let record = try records.next() {
        if signers.contains(record.signer) { return record }
      }
      return nil
    }
  }

  /// The last message of a stream that was applied.
  func lastApplied(of stream: StreamName, by signer: Mailbox) throws -> AppliedRecord? {
    try fetch(
      """
      SELECT sequence, revision FROM applied WHERE signer = ? AND remote = ? AND ref = ?
      ORDER BY number DESC LIMIT 1
      """, [signer, stream.remote, stream.branch])
  }

  func watched(_ stream: StreamName) throws -> WatchedRecord? {
    try fetch("SELECT * FROM watched WHERE remote = ? AND ref = ?", [stream.remote, stream.branch])
  }

  func lastRefusal(of stream: StreamName) throws -> RefusalRecord? {
    try fetch("SELECT * FROM refusal WHERE remote = ? AND ref = ?", [stream.remote, stream.branch])
  }

  func block(of stream: StreamName) throws -> BlockRecord? {
    try fetch("SELECT * FROM block WHERE remote = ? AND ref = ?", [stream.remote, stream.branch])
  }

  /// Refusals that belong to no checkout, by name.
  func strayRefusals() throws -> [StrayRefusalRecord] {
    try store.state.queue.read { database in
      try StrayRefusalRecord.fetchAll(database, sql: "SELECT * FROM strayRefusal ORDER BY name")
    }
  }

  /// The place of a stream's answers in its signer's mailbox, or a new one; random, so that it tells a carrier nothing.
  func answerSlot(of stream: StreamName, for signer: Mailbox) throws -> Slot {
    struct SlotRecord: Codable, FetchableRecord { let slot: Slot }
    let found: SlotRecord? = try fetch(
      "SELECT slot FROM answerSlot WHERE signer = ? AND remote = ? AND ref = ?",
      [signer, stream.remote, stream.branch])
    if let found { return found.slot }
    var generator = SystemRandomNumberGenerator()
    let bytes = (0..<nameByteCount).map { _ in UInt8.random(in: 0...255, using: &generator) }
    guard let slot = Slot(bytes) else { preconditionFailure("32 bytes are a name") }
    return slot
  }

  private func fetch<Record: FetchableRecord>(
    _ sql: String, _ arguments: StatementArguments
  ) throws -> Record? {
    try store.state.queue.read { database in
      try Record.fetchOne(database.cachedStatement(sql: sql), arguments: arguments)
    }
  }
}
