import Diagnostics
import GitModel
import Logging
import Mailboxes
import MessageFormat

/// The way of messages through the stages: opened and checked one by one, applied in one step where they follow each
/// other on one checkout, and answered in their order.
final class Pipeline {
  /// A larger message is only opened when it can be applied at once.
  private static let joinByteCountMax: UInt64 = 1 << 20

  private let route: Route
  private let inbox: Inbox
  private let open: Open
  private let answer: Answer
  private let hearing: HeartbeatHandler
  private let journal: Journal
  private let indexes: IndexCache
  private let sizes = CheckoutSizes()
  private let log: Logger
  private let now: () -> Timestamp
  private let onAnswer: () -> Void
  var faults: CheckoutFaults

  init(
    checkouts: [CheckoutSettings], inbox: Inbox, open: Open, answer: Answer, journal: Journal,
    indexes: IndexCache, faults: CheckoutFaults, log: Logger, now: @escaping () -> Timestamp,
    onAnswer: @escaping () -> Void
  ) {
    route = Route(checkouts: checkouts)
    hearing = HeartbeatHandler(inbox: inbox, answer: answer, log: log)
    self.inbox = inbox
    self.open = open
    self.answer = answer
    self.journal = journal
    self.indexes = indexes
    self.faults = faults
    self.log = log
    self.now = now
    self.onAnswer = onAnswer
  }

  /// The front of `waiting`, as far as one step can take it; answers what was answered.
  ///
  /// Throws `CheckoutFault` for what the machine did not let us do with one checkout.
  func handle(_ waiting: [StoredMessage]) throws -> Set<MessageID> {
    var batch: Batch?
    for stored in waiting {
      if let batch, batch.isFull || stored.size.byteCount > Self.joinByteCountMax { break }
      var subject = Subject()
      do {
        guard try advance(stored, &batch, &subject) else { break }
        if subject.isHeard { return [stored.id] }
      } catch let refused as Refused {
        let revision = try currentRevision(batch, subject)
        return try finish(batch, before: stored) {
          try refuse(
            stored, refused, message: subject.opened?.message,
            seen: subject.isInOrder ? subject.opened?.digest : nil, revision: revision,
            slot: subject.isInOrder ? nil : subject.opened?.digest)
        }
      } catch let elsewhere as RevisionMismatch {
        guard let opened = subject.opened else { preconditionFailure("it was routed") }
        return try finish(batch, before: stored) { try answer(opened, stored, elsewhere) }
      } catch let dropped as DroppedHeartbeat {
        return try finish(batch, before: stored) { try hearing.drop(dropped, stored) }
      }
    }
    return try finish(batch)
  }

  /// Answers what came before a message, then that message itself.
  private func finish(
    _ batch: Batch?, before stored: StoredMessage, answer: () throws -> Void
  ) throws -> Set<MessageID> {
    let patches = batch?.patches ?? []
    let answered = try finish(batch)
    // What was checked against a state that did not come about is checked again.
    guard answered.count == patches.count else { return answered }
    try answer()
    return answered.union([stored.id])
  }

  /// How far a message has come before it was refused.
  private struct Subject {
    var opened: OpenedMessage?
    var checkout: CheckoutSettings?
    /// Its sequence number was accepted, and is used up whatever follows.
    var isInOrder = false
    /// It was a heartbeat, and is answered.
    var isHeard = false
  }

  /// Opens and checks one message, and adds it to the batch; `false`: it has to wait for the next step.
  private func advance(
    _ stored: StoredMessage, _ batch: inout Batch?, _ subject: inout Subject
  ) throws -> Bool {
    let opened: OpenedMessage
    switch try read(stored) {
    case .message(let message): opened = message
    case .heartbeat(let heartbeat):
      // What was sent before it is done first: it asks for what the checkout is at then.
      guard batch == nil else { return false }
      try hear(heartbeat, stored, &subject)
      return true
    }
    subject.opened = opened
    let message = opened.message
    let settings = try route.checkout(of: message.stream, signer: message.signer)
    subject.checkout = settings
    if faults.isWaiting(settings.path) {
      faults.hold(stored.id, for: settings.path)
      return true
    }
    if let batch, batch.checkout.settings != settings || opened.message.payload.kind != .patch {
      return false
    }
    try SequenceCheck(inbox: inbox).require(opened, behind: batch?.patches.last)
    subject.isInOrder = true
    try withFaults(of: settings) {
      let target = try batch ?? newBatch(for: opened.message, settings)
      batch = target
      let check = Check(batch: target, inbox: inbox, now: now())
      target.add(try check.check(opened, stored))
    }
    return true
  }

  /// A file that cannot be read is the place that waits; the other messages go on.
  private func read(_ stored: StoredMessage) throws -> Opened {
    do {
      return try open.open(stored, now: now())
    } catch let error as MailboxError where error.isOfOneMessage {
      let place = "message \(stored.id.abbreviated)"
      faults.hold(stored.id, for: place)
      throw CheckoutFault(path: place, reason: error)
    }
  }

  private func hear(
    _ heartbeat: Heartbeat, _ stored: StoredMessage, _ subject: inout Subject
  ) throws {
    let settings: CheckoutSettings
    do throws(Refused) {
      settings = try route.checkout(of: heartbeat.stream, signer: heartbeat.signer)
    } catch {
      throw DroppedHeartbeat(reason: error)
    }
    if faults.isWaiting(settings.path) { return faults.hold(stored.id, for: settings.path) }
    try withFaults(of: settings) { try hearing.hear(heartbeat, stored, for: settings) }
    onAnswer()
    subject.isHeard = true
  }

  private func currentRevision(_ batch: Batch?, _ subject: Subject) throws -> ObjectID? {
    try batch.map(\.current?.revision) ?? subject.checkout.flatMap(Checkout.revision(of:))
  }

  /// Whatever is thrown but a refusal concerns this checkout alone.
  private func withFaults<Value>(
    of settings: CheckoutSettings, _ body: () throws -> Value
  ) throws -> Value {
    do {
      return try body()
    } catch let refused as Refused {
      throw refused
    } catch let elsewhere as RevisionMismatch {
      throw elsewhere
    } catch let dropped as DroppedHeartbeat {
      throw dropped
    } catch {
      throw CheckoutFault(path: settings.path, reason: error)
    }
  }

  /// Answers a message with a refusal.
  func refuse(
    _ stored: StoredMessage, _ refused: Refused, message: Message? = nil,
    seen: ContentDigest? = nil, revision: ObjectID? = nil, slot: ContentDigest? = nil
  ) throws {
    log.report(
      .refused,
      [
        "message": "\(stored.id.abbreviated)", "reason": "\(refused.refusal.rawValue)",
        "detail": "\(refused.detail)",
        "stream": "\(message.map { "\($0.stream)" } ?? "unknown")",
      ])
    try answer.answer([
      Outcome(
        stored: stored, message: message, seen: seen,
        outcome: .refused(refused.refusal, detail: refused.detail), revision: revision, slot: slot)
    ])
    onAnswer()
  }

  /// Answers a message for which the checkout is not where it starts.
  private func answer(
    _ opened: OpenedMessage, _ stored: StoredMessage, _ elsewhere: RevisionMismatch
  ) throws {
    let message = opened.message
    let outcome: Receipt.Outcome
    let current: Snapshot?
    switch elsewhere {
    case .behind(let snapshot): (outcome, current) = (.behind(snapshot), snapshot)
    case .thereAlready(let snapshot): (outcome, current) = (.applied(snapshot), snapshot)
    }
    log.report(
      elsewhere == .behind(current) ? .behind : .current,
      [
        "message": "\(stored.id.abbreviated)", "stream": "\(message.stream)",
        "at": "\(current?.revision.abbreviated ?? "nothing")",
        "starts": "\(message.before?.revision.abbreviated ?? "nothing")",
      ])
    try answer.answer([
      Outcome(
        stored: stored, message: message, seen: opened.digest, outcome: outcome,
        revision: current?.revision)
    ])
    onAnswer()
  }

  private func newBatch(for message: Message, _ settings: CheckoutSettings) throws -> Batch {
    try Batch(
      try Checkout.open(settings, canCreate: message.before == nil, indexes: indexes), sizes: sizes)
  }

  /// Applies and answers a batch.
  private func finish(_ batch: Batch?) throws -> Set<MessageID> {
    guard let batch else { return [] }
    return try withFaults(of: batch.checkout.settings) {
      guard !batch.patches.isEmpty else {
        try batch.checkout.discardIfMade()
        return []
      }
      do {
        try answer(try Apply(journal: journal).apply(batch), on: batch.checkout)
      } catch let refused as Refused {
        return try refuseObstructed(batch, refused)
      }
      faults.forget(batch.checkout.settings.path)
      refreshIndex(after: batch)
      return Set(batch.patches.map(\.stored.id))
    }
  }

  private func answer(_ applied: [AppliedPatch], on checkout: Checkout) throws {
    try answer.answer(applied.map { Outcome($0) }) { database in
      try Journal.markAnswered(checkout.settings.path, in: database)
    }
    onAnswer()
    for patch in applied { logApplied(patch) }
  }

  /// The journal keeps what could not be done, and the next step begins with it.
  private func refreshIndex(after batch: Batch) {
    do {
      try IndexRefresh(checkout: batch.checkout).run(Array(batch.changes.values))
      try journal.end(batch.checkout.settings.path)
    } catch {
      log.report(
        .indexDelayed,
        ["checkout": "\(batch.checkout.settings.path)", "error": "\(error)"])
    }
  }

  /// Something stands in the way of one of the messages. Which one shows when the first is handled alone.
  private func refuseObstructed(_ batch: Batch, _ refused: Refused) throws -> Set<MessageID> {
    guard batch.patches.count == 1, let patch = batch.patches.first else {
      let first = batch.patches[0].stored
      batch.checkout.release()
      return try handle([first])
    }
    try batch.checkout.discardIfMade()
    try refuse(
      patch.stored, refused, message: patch.message, seen: patch.digest,
      revision: batch.checkout.head?.revision)
    return [patch.stored.id]
  }

  private func logApplied(_ applied: AppliedPatch) {
    let message = applied.patch.message
    log.report(
      .applied,
      [
        "message": "\(applied.patch.stored.id.abbreviated)", "stream": "\(message.stream)",
        "revision": "\(message.after.revision.abbreviated)",
        "sequence": .number(message.sequence), "paths": .number(applied.patch.changes.count),
      ])
  }
}

extension Outcome {
  init(_ applied: AppliedPatch) {
    let patch = applied.patch
    self.init(
      stored: patch.stored, message: patch.message, seen: patch.digest,
      outcome: .applied(patch.message.after), revision: patch.message.after.revision)
  }
}
