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

  /// The signer that led a checkout here to a revision, or from it; `nil`: none did.
  func sender(of revision: ObjectID, on stream: StreamName) throws -> Mailbox? {
    struct SignerRecord: Codable, FetchableRecord { let signer: Mailbox }
    let found: SignerRecord? = try fetch(
      "SELECT signer FROM applied WHERE remote = ? AND ref = ? AND revision = ?",
      [stream.remote, stream.branch, revision])
    return found?.signer
  }

  /// The last that came of any of these signers.
  func heard(of stream: StreamName, by signers: Set<Mailbox>) throws -> HeartbeatRecord? {
    try store.state.reading { database in
      let records = try HeartbeatRecord.fetchCursor(
        database.cachedStatement(
          sql: "SELECT * FROM heartbeat WHERE remote = ? AND ref = ? ORDER BY number DESC"),
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

  func rejected(of stream: StreamName) throws -> RejectedRecord? {
    try fetch(
      "SELECT * FROM rejected WHERE remote = ? AND ref = ?", [stream.remote, stream.branch])
  }

  func block(of stream: StreamName) throws -> BlockRecord? {
    try fetch("SELECT * FROM block WHERE remote = ? AND ref = ?", [stream.remote, stream.branch])
  }

  /// Refusals that belong to no checkout, by name.
  func strayRefusals() throws -> [StrayRefusalRecord] {
    try store.state.reading { database in
      try StrayRefusalRecord.fetchAll(
        database.cachedStatement(sql: "SELECT * FROM strayRefusal ORDER BY name"))
    }
  }

  /// The newest counter of a signer's heartbeats, by stream.
  func heartbeatCounters(of signer: Mailbox) throws -> [StreamName: UInt64] {
    struct CounterRecord: Codable, FetchableRecord {
      let remote: RemoteName
      let ref: BranchName
      let counter: UInt64
    }
    let records = try store.state.reading { database in
      try CounterRecord.fetchAll(
        database.cachedStatement(
          sql: "SELECT remote, ref, counter FROM heartbeat WHERE signer = ?"),
        arguments: [signer])
    }
    return Dictionary(
      records.map { (StreamName(remote: $0.remote, branch: $0.ref), $0.counter) }
    ) { first, _ in first }
  }

  private struct SlotRecord: Codable, FetchableRecord { let slot: Slot }

  /// The place in its signer's mailbox of what is said of a stream's messages that wait, or a new one; random, so that it
  /// tells a carrier nothing.
  func answerSlot(of stream: StreamName, for signer: Mailbox) throws -> Slot {
    let found: SlotRecord? = try fetch(
      "SELECT slot FROM answerSlot WHERE signer = ? AND remote = ? AND ref = ?",
      [signer, stream.remote, stream.branch])
    return found?.slot ?? .random()
  }

  /// The same of the reports on one part of a signer's heartbeats.
  func reportSlot(of part: UInt32, for signer: Mailbox) throws -> Slot {
    let found: SlotRecord? = try fetch(
      "SELECT slot FROM reportSlot WHERE signer = ? AND part = ?", [signer, part])
    return found?.slot ?? .random()
  }

  private func fetch<Record: FetchableRecord>(
    _ sql: String, _ arguments: StatementArguments
  ) throws -> Record? {
    try store.state.reading { database in
      try Record.fetchOne(database.cachedStatement(sql: sql), arguments: arguments)
    }
  }
}
