import GRDB
import GitModel
import Mailboxes
import MessageFormat
import Sealing
import Sodium

/// What became of one message.
struct Outcome {
  let stored: StoredMessage
  /// `nil`: it could not be opened, or its signature was not good.
  let message: Message?
  /// The message's digest, where its sequence number is used up by this outcome.
  let seen: ContentDigest?
  let outcome: Receipt.Outcome
  /// What the stream's checkout is at now.
  let revision: ObjectID?
  /// Where its receipt takes the place of the one before: a message that a carrier brings again and again is answered
  /// once. The message's digest, which tells a carrier nothing.
  var slot: ContentDigest?
}

/// The last stage: a signed receipt into the signer's mailbox, and the message out of the inbox, in one durable step.
struct Answer {
  let identity: Identity
  let trustedSigners: [PublicIdentity]
  let store: MailboxStore
  let route: Route
  let now: () -> Timestamp
  /// Told of every message, when its answer is durable.
  let onOutcome: (Answered) -> Void

  /// `also` runs in the same transaction.
  func answer(_ outcomes: [Outcome], also: (Database) throws -> Void = { _ in }) throws {
    let time = now()
    var receipts: [MessageWriter] = []
    for outcome in outcomes {
      for signer in readers(of: outcome) {
        receipts.append(
          try seal(
            receipt(for: outcome, to: signer, at: time), for: signer,
            slot: slot(for: outcome, to: signer)))
      }
    }
    try store.commit(receipts, at: time) { database in
      for outcome in outcomes {
        if let message = outcome.message, let digest = outcome.seen {
          try Inbox.recordSeen(message, digest: digest, in: database)
        }
        try Inbox.record(outcome, of: route, at: time, in: database)
        try Inbox.forgetAttempts(of: outcome.stored.id, in: database)
        try MailboxStore.remove(outcome.stored, in: database)
      }
      try also(database)
    }
    for outcome in outcomes { try store.removeFile(of: outcome.stored) }
    for outcome in outcomes { onOutcome(Answered(outcome)) }
  }

  /// Who sent it. What cannot be opened does not say, and a relay does not know: then all whom we trust.
  private func readers(of outcome: Outcome) -> [PublicIdentity] {
    let sender = outcome.message?.signer ?? outcome.stored.depositor
    if sender == identity.public.mailbox { return trustedSigners }
    return trustedSigners.filter { $0.mailbox == sender }
  }

  /// What a relay can bring in any number, old messages and ones that nobody sealed, has an answer each, or one altogether.
  private func slot(for outcome: Outcome, to signer: PublicIdentity) -> Slot? {
    if let digest = outcome.slot { return Slot(digest.bytes) }
    guard outcome.message == nil, outcome.stored.depositor == identity.public.mailbox else {
      return nil
    }
    // Those that a signer has made are not many, and each is to have its answer.
    let isMade =
      switch outcome.outcome {
      case .refused(.expired, _), .refused(.clockSkew, _), .refused(.unprocessable, _): true
      default: false
      }
    let cause = isMade ? outcome.stored.id.bytes : identity.public.mailbox.bytes
    return Slot(ContentDigest(of: cause + signer.mailbox.bytes).bytes)
  }

  /// Into a slot of the stream's own, so that answers that nobody collects do not pile up.
  func answer(
    _ heartbeat: Heartbeat, _ stored: StoredMessage, with outcome: Receipt.Outcome?
  ) throws {
    let time = now()
    let slot = try Inbox(store: store, mailbox: stored.mailbox).slot(of: heartbeat)
    var receipts: [MessageWriter] = []
    if let outcome, let signer = trustedSigners.first(where: { $0.mailbox == heartbeat.signer }) {
      let receipt = Receipt(
        applier: identity.public.mailbox, signer: signer.mailbox, messageID: stored.id,
        subject: Receipt.Subject(
          stream: heartbeat.stream, sequence: heartbeat.sequence),
        outcome: outcome, revision: nil, receivedAt: stored.receivedAt, finishedAt: time)
      receipts.append(try seal(receipt, for: signer, slot: slot))
    }
    try store.commit(receipts, at: time) { database in
      try Inbox.record(heartbeat, slot: slot, in: database)
      try Inbox.forgetAttempts(of: stored.id, in: database)
      try MailboxStore.remove(stored, in: database)
    }
    try store.removeFile(of: stored)
  }

  /// Takes a message out of the inbox without a word.
  func drop(_ stored: StoredMessage) throws {
    try store.commit([], at: now()) { database in
      try Inbox.forgetAttempts(of: stored.id, in: database)
      try MailboxStore.remove(stored, in: database)
    }
    try store.removeFile(of: stored)
  }

  private func receipt(
    for outcome: Outcome, to signer: PublicIdentity, at time: Timestamp
  ) -> Receipt {
    Receipt(
      applier: identity.public.mailbox, signer: signer.mailbox,
      messageID: outcome.stored.id,
      subject: outcome.message.map {
        Receipt.Subject(stream: $0.stream, sequence: $0.sequence)
      },
      outcome: outcome.outcome, revision: outcome.revision,
      receivedAt: outcome.stored.receivedAt, finishedAt: time)
  }

  private func seal(
    _ receipt: Receipt, for signer: PublicIdentity, slot: Slot? = nil
  ) throws -> MessageWriter {
    let envelope = try Envelope.seal(receipt, by: identity, for: [signer], slot: slot)
    let message = try MessageWriter(
      envelope.offer, from: identity.public.mailbox, into: store)
    try envelope.write(to: message.append)
    return message
  }
}
