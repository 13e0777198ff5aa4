import GRDB
import GitModel
import Mailboxes
import MessageFormat
import Sealing
import Sodium

/// The last stage: a signed receipt into the signer's mailbox, and the message out of the inbox, in one durable step.
struct Answer {
  let identity: Identity
  let trustedSigners: [PublicIdentity]
  let store: MailboxStore
  let route: Route
  let now: () -> Timestamp
  /// Told of every message, when its answer is durable.
  let onOutcome: (Answered) -> Void

  var inbox: Inbox { Inbox(store: store, mailbox: identity.public.mailbox) }

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
        try record(outcome, at: time, in: database)
        try Self.remove(outcome.stored, in: database)
      }
      try also(database)
    }
    for outcome in outcomes { try store.removeFile(of: outcome.stored) }
    for outcome in outcomes { onOutcome(Answered(outcome)) }
  }

  private func record(
    _ outcome: Outcome, at time: Timestamp, in database: Database
  ) throws {
    if let message = outcome.message, let digest = outcome.seen {
      try Inbox.recordSeen(message, digest: digest, in: database)
      // Its number was looked at, so the checkout could be.
      try Inbox.clearBlock(of: message.stream, in: database)
    }
    switch outcome.outcome {
    case .applied:
      if let message = outcome.message {
        try Inbox.recordApplied(message, in: database)
        try Inbox.clearRejected(of: message.stream, in: database)
      }
    case .refused(let refusal, let detail):
      let refused = Refused(refusal, detail)
      // Of other streams a signer could invent any number.
      if let stream = outcome.message?.stream, route.leads(stream) {
        try Inbox.recordRefusal(refused, of: stream, at: time, in: database)
      } else {
        try Inbox.recordStray(refused, at: time, in: database)
      }
    case .behind, .blocked: break
    }
  }

  static func remove(_ stored: StoredMessage, in database: Database) throws {
    try Inbox.forgetAttempts(of: stored.id, in: database)
    try MailboxStore.remove(stored, in: database)
  }

  /// The sender. What cannot be opened does not name one, and a relay does not know it: then all trusted signers.
  private func readers(of outcome: Outcome) -> [PublicIdentity] {
    let sender = outcome.message?.signer ?? outcome.stored.depositor
    if sender == identity.public.mailbox { return trustedSigners }
    return trustedSigners.filter { $0.mailbox == sender }
  }

  /// What a relay can bring in any number, old messages and forged ones, has an answer each, or one altogether.
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

  func seal(
    _ body: some StatementBody, for signer: PublicIdentity, slot: Slot? = nil
  ) throws -> MessageWriter {
    let envelope = try Envelope.seal(body, by: identity, for: [signer], slot: slot)
    let message = try MessageWriter(
      envelope.offer, from: identity.public.mailbox, into: store)
    try envelope.write(to: message.append)
    return message
  }
}
