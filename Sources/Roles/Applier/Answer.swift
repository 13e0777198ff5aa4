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

  private var inbox: Inbox { Inbox(store: store, mailbox: identity.public.mailbox) }

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
      if let message = outcome.message { try Inbox.recordApplied(message, in: database) }
    case .refused(let refusal, let detail):
      let refused = Refused(refusal, detail)
      // Of other streams a signer could invent any number.
      if let stream = outcome.message?.stream, route.leads(stream) {
        try Inbox.recordRefusal(refused, of: stream, at: time, in: database)
      } else {
        try Inbox.recordStray(refused, at: time, in: database)
      }
    case .behind, .current, .blocked: break
    }
  }

  private static func remove(_ stored: StoredMessage, in database: Database) throws {
    try Inbox.forgetAttempts(of: stored.id, in: database)
    try MailboxStore.remove(stored, in: database)
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

// What goes into a slot of the stream's own, where the next word replaces it: answers that nobody collects do not pile up.
extension Answer {
  func answer(
    _ heartbeat: AdmittedHeartbeat, with outcome: Receipt.Outcome, revision: ObjectID?,
    at moment: Moment
  ) throws {
    let opened = heartbeat.opened
    // What lay in the inbox for long says less.
    let waited =
      moment.wall.milliseconds - min(moment.wall, opened.stored.receivedAt).milliseconds
    let received = moment.subtracting(milliseconds: waited)
    try say(outcome, revision: revision, to: MessageReference(opened)) { database in
      try Inbox.recordHeartbeat(opened.heartbeat, received: received, in: database)
      try Self.remove(opened.stored, in: database)
    }
    try store.removeFile(of: opened.stored)
  }

  /// The message stays where it is.
  func block(
    _ fault: CheckoutFault, of settings: CheckoutSettings, revision: ObjectID?
  ) throws {
    let outcome = Receipt.Outcome.blocked(fault.blockReason, detail: fault.detail)
    guard let message = fault.message else { return try record(outcome, of: settings.stream) }
    try say(outcome, revision: revision, to: message)
  }

  /// The message goes: there is no room to keep it.
  func decline(_ routed: RoutedMessage, _ fault: CheckoutFault, revision: ObjectID?) throws {
    let outcome = Receipt.Outcome.blocked(fault.blockReason, detail: fault.detail)
    let stored = routed.opened.stored
    try say(outcome, revision: revision, to: MessageReference(routed.opened)) { database in
      try Self.remove(stored, in: database)
    }
    try store.removeFile(of: stored)
  }

  /// Takes a message out of the inbox without a word; a stream's heartbeat that came twice is not worth one.
  func drop(_ stored: StoredMessage, _ reason: Refused?) throws {
    let time = now()
    try store.commit([], at: time) { database in
      if let reason, reason.refusal != .replayed {
        try Inbox.recordStray(reason, at: time, in: database)
      }
      try Self.remove(stored, in: database)
    }
    try store.removeFile(of: stored)
  }

  private func record(_ outcome: Receipt.Outcome, of stream: StreamName) throws {
    let time = now()
    try store.commit([], at: time) { database in
      try Self.record(outcome, of: stream, at: time, in: database)
    }
  }

  private func say(
    _ outcome: Receipt.Outcome, revision: ObjectID?, to message: MessageReference,
    also: (Database) throws -> Void = { _ in }
  ) throws {
    let time = now()
    let slot = try inbox.answerSlot(of: message.stream, for: message.signer)
    var receipts: [MessageWriter] = []
    if let signer = trustedSigners.first(where: { $0.mailbox == message.signer }) {
      let receipt = Receipt(
        applier: identity.public.mailbox, signer: signer.mailbox, messageID: message.id,
        subject: Receipt.Subject(stream: message.stream, sequence: message.sequence),
        outcome: outcome, revision: revision, receivedAt: message.receivedAt, finishedAt: time)
      receipts.append(try seal(receipt, for: signer, slot: slot))
    }
    try store.commit(receipts, at: time) { database in
      try Inbox.recordSlot(slot, of: message.stream, for: message.signer, in: database)
      try Self.record(outcome, of: message.stream, at: time, in: database)
      try also(database)
    }
  }

  private static func record(
    _ outcome: Receipt.Outcome, of stream: StreamName, at time: Timestamp, in database: Database
  ) throws {
    if case .blocked(let reason, let detail) = outcome {
      try Inbox.recordBlock(reason, detail: detail, of: stream, at: time, in: database)
    } else {
      try Inbox.clearBlock(of: stream, in: database)
    }
  }
}
