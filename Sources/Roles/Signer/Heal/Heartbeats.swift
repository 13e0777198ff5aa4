import GitModel
import Mailboxes
import MessageFormat
import Sealing
import Sodium

/// Says on every stream what its newest revision is, so that its recipients know when something is kept from them: one
/// message for all streams of a recipient, and for all recipients of the same streams.
struct Heartbeats {
  /// How many may be lost before the recipients worry.
  private static let intervalCountMax: UInt64 = 5
  /// Sealed before they are stored, in one durable step.
  private static let messageCountMax = 64

  let settings: SignerSettings
  let outbox: Outbox
  let now: () -> Timestamp

  private var intervalMilliseconds: UInt64 { settings.heartbeatSeconds * 1_000 }

  /// Seals the heartbeats that are due into the outbox; returns when the next one is due, `nil` if heartbeats are off.
  ///
  /// All streams at once: a new one brings the others' turn forward.
  func run() throws -> Timestamp? {
    guard settings.heartbeatSeconds > 0 else { return nil }
    let time = now()
    var configured: [StreamName: [PublicIdentity]] = [:]
    let sources = Dictionary(grouping: settings.repositories, by: \.remote)
    let streams = try outbox.heartbeatStreams().filter { stream in
      let recipients = sources[stream.name.remote]?.source(of: stream.name)?.recipients
      configured[stream.name] = recipients
      return recipients != nil
    }
    let dues = streams.map { due(after: $0.heartbeatAt, at: time) }
    guard let due = dues.min() else { return nil }
    guard due <= time else { return due }
    try outbox.follow(streams.map { ($0.name, follows($0.name)) })
    try send(streams, to: configured, at: time)
    return time.adding(milliseconds: intervalMilliseconds)
  }

  private func follows(_ stream: StreamName) -> Bool {
    settings.repositories.source(of: stream)?.sameTree == .follow
  }

  private func due(after last: Timestamp?, at time: Timestamp) -> Timestamp {
    // A clock that was set back must not silence us until it has come that far again.
    guard let last, last <= time else { return time }
    return last.adding(milliseconds: intervalMilliseconds)
  }

  /// Recipients that hear of the same streams.
  private struct Group {
    let heads: [Heartbeat.Stream]
    var recipients: [PublicIdentity] = []
  }

  private func send(
    _ streams: [HeartbeatStream], to configured: [StreamName: [PublicIdentity]], at time: Timestamp
  ) throws {
    let known = try outbox.heartbeatRecipients()
    var newcomers: [HeartbeatNewcomer] = []
    var heard: [Mailbox: [Int]] = [:]
    var identities: [PublicIdentity] = []
    for (number, stream) in streams.enumerated() {
      for identity in configured[stream.name] ?? [] {
        let recipient = known[stream.id]?[identity.mailbox]
        if recipient?.name != identity.name.text {
          newcomers.append(HeartbeatNewcomer(identity, of: stream.id))
        }
        // One that overtakes a message would tell of what is still to come.
        guard recipient?.isWaiting != true else { continue }
        if heard[identity.mailbox] == nil { identities.append(identity) }
        heard[identity.mailbox, default: []].append(number)
      }
    }
    let heads = streams.map { $0.head(isFollowed: follows($0.name)) }
    var groups: [[Int]: Group] = [:]
    for identity in identities {
      guard let numbers = heard[identity.mailbox] else { continue }
      groups[numbers, default: Group(heads: numbers.map { heads[$0] })]
        .recipients.append(identity)
    }
    let counter = try outbox.beginHeartbeat(newcomers, at: time)
    var pending: [MessageWriter] = []
    for group in groups.values {
      for (part, heads) in Heartbeat.parts(of: group.heads).enumerated() {
        let slot = try outbox.heartbeatSlot(of: UInt32(part))
        for recipients in group.recipients.split(countMax: Limits.recipientCountMax) {
          let heartbeat = Heartbeat(
            signer: settings.identity.public.mailbox, recipients: recipients.map(\.mailbox),
            counter: counter, part: UInt32(part), createdAt: time,
            expiresAt: time.adding(milliseconds: Self.intervalCountMax * intervalMilliseconds),
            streams: heads)
          pending.append(try seal(heartbeat, for: recipients, slot: slot))
          guard pending.count == Self.messageCountMax else { continue }
          try outbox.store.commit(pending, at: time)
          pending = []
        }
      }
    }
    try outbox.endHeartbeat(pending, of: streams, at: time)
  }

  private func seal(
    _ heartbeat: Heartbeat, for recipients: [PublicIdentity], slot: Slot
  ) throws -> MessageWriter {
    let envelope = try Envelope.seal(
      heartbeat, by: settings.identity, for: recipients, slot: slot)
    let sealed = try MessageWriter(
      envelope.offer, from: settings.identity.public.mailbox, into: outbox.store)
    try envelope.write(to: sealed.append)
    return sealed
  }
}

extension Array {
  /// In their order, at most so many in each.
  func split(countMax: Int) -> [[Element]] {
    stride(from: 0, to: count, by: countMax).map {
      Array(self[$0..<Swift.min($0 + countMax, count)])
    }
  }
}
