import Foundation
import GRDB
import GitModel
import Mailboxes
import MessageFormat
import Sealing
import Sodium

/// Says on every stream what its newest revision is, so that its recipients know when something is kept from them.
struct Heartbeats {
  /// How many may be lost before the recipients worry.
  private static let intervalCountMax: UInt64 = 5

  let settings: SignerSettings
  let outbox: Outbox
  let now: () -> Timestamp

  private var intervalMilliseconds: UInt64 { settings.heartbeatSeconds * 1_000 }

  /// Seals what is due into the outbox; answers when the next one is, `nil` where there is none.
  func run() throws -> Timestamp? {
    guard settings.heartbeatSeconds > 0 else { return nil }
    var next: Timestamp?
    for configured in settings.repositories {
      for branch in configured.branches {
        guard let head = try outbox.head(of: configured.stream(branch)) else { continue }
        let last = try outbox.lastHeartbeat(of: configured.stream(branch))
        var due = last.map { $0.adding(milliseconds: intervalMilliseconds) } ?? now()
        // A clock that was set back must not silence us until it has come that far again.
        if let last, last > now() { due = now() }
        if due <= now() {
          try send(head, branch, of: configured)
          due = now().adding(milliseconds: intervalMilliseconds)
        }
        next = [next, due].compactMap { $0 }.min()
      }
    }
    return next
  }

  /// Not to who has messages waiting: a heartbeat that overtakes one would tell of what is still to come.
  private func send(
    _ head: StreamHead, _ branch: BranchName, of configured: SignerRepository
  ) throws {
    let known = try outbox.recipients(of: configured.stream(branch))
    let busy = Set(known.filter(\.isWaiting).map(\.mailbox))
    let recipients = configured.recipients.filter { !busy.contains($0.mailbox) }
    let time = now()
    guard !recipients.isEmpty else {
      return try outbox.noteHeartbeat(of: configured.stream(branch), at: time)
    }
    let heartbeat = Heartbeat(
      signer: settings.identity.public.mailbox, recipients: recipients.map(\.mailbox),
      stream: configured.stream(branch), sequence: head.sequence, revision: head.revision,
      createdAt: time,
      expiresAt: time.adding(milliseconds: Self.intervalCountMax * intervalMilliseconds))
    let envelope = try Envelope.seal(
      heartbeat, by: settings.identity, for: recipients,
      slot: try outbox.slot(of: heartbeat.stream))
    let sealed = try MessageWriter(
      envelope.offer, from: settings.identity.public.mailbox, into: outbox.store)
    try envelope.write(to: sealed.append)
    let names = recipients.map { ($0.mailbox, $0.name.text) }
    try outbox.store(
      sealed, heartbeatOf: configured.stream(branch), names: names, at: time)
  }
}

extension Outbox {
  func lastHeartbeat(
    of stream: StreamName
  ) throws(SignerError) -> Timestamp? {
    try reading { database in
      try Int64.fetchOne(
        database, sql: "SELECT heartbeatAt FROM stream WHERE remote = ? AND ref = ?",
        arguments: [stream.remote.text, stream.branch.fullName])
    }.map { Timestamp(milliseconds: UInt64($0)) }
  }

  /// The stream's own place in its recipients' mailboxes; random, so that it tells a carrier nothing.
  func slot(of stream: StreamName) throws(SignerError) -> Slot {
    try writing { database in
      var generator = SystemRandomNumberGenerator()
      let fresh = (0..<nameByteCount).map { _ in UInt8.random(in: 0...255, using: &generator) }
      try database.execute(
        sql: "UPDATE stream SET slot = ? WHERE remote = ? AND ref = ? AND slot IS NULL",
        arguments: [Data(fresh), stream.remote.text, stream.branch.fullName])
      let stored = try Data.fetchOne(
        database, sql: "SELECT slot FROM stream WHERE remote = ? AND ref = ?",
        arguments: [stream.remote.text, stream.branch.fullName])
      guard let slot = stored.flatMap({ Slot(Array($0)) }) else {
        throw SignerError.state("the stream \(stream) is damaged")
      }
      return slot
    }
  }

  func noteHeartbeat(
    of stream: StreamName, at time: Timestamp
  ) throws(SignerError) {
    try writing { try Self.noteHeartbeat(of: stream, at: time, in: $0) }
  }

  private static func noteHeartbeat(
    of stream: StreamName, at time: Timestamp, in database: Database
  ) throws {
    try database.execute(
      sql: "UPDATE stream SET heartbeatAt = ? WHERE remote = ? AND ref = ?",
      arguments: [Int64(time.milliseconds), stream.remote.text, stream.branch.fullName])
  }

  /// A recipient that never got a message is known from its first heartbeat on, so that its answer counts.
  func store(
    _ sealed: MessageWriter, heartbeatOf stream: StreamName,
    names: [(Mailbox, String)], at time: Timestamp
  ) throws {
    try store.commit([sealed], at: time) { database in
      try Self.noteHeartbeat(of: stream, at: time, in: database)
      guard
        let stream = try Int64.fetchOne(
          database, sql: "SELECT id FROM stream WHERE remote = ? AND ref = ?",
          arguments: [stream.remote.text, stream.branch.fullName])
      else { return }
      for (recipient, name) in names {
        try Self.register(recipient, name, of: stream, in: database)
      }
    }
  }
}
