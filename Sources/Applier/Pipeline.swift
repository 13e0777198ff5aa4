import GitModel
import Logging
import Mailboxes
import MessageFormat

/// The way of messages through the stages: opened and checked one by one, applied in one step where they follow each
/// other on one checkout, and answered in their order.
final class Pipeline {
  /// A larger message is only opened when it can be applied at once.
  private static let joinByteCountMax: UInt64 = 1 << 20

  private let checkouts: [CheckoutSettings]
  private let inbox: Inbox
  private let open: Open
  private let answer: Answer
  private let journal: Journal
  private let indexes: IndexCache
  private let log: Logger
  private let now: () -> Timestamp
  private let onAnswer: () -> Void
  var faults = CheckoutFaults()

  init(
    checkouts: [CheckoutSettings], inbox: Inbox, open: Open, answer: Answer, journal: Journal,
    indexes: IndexCache, log: Logger, now: @escaping () -> Timestamp,
    onAnswer: @escaping () -> Void
  ) {
    self.checkouts = checkouts
    self.inbox = inbox
    self.open = open
    self.answer = answer
    self.journal = journal
    self.indexes = indexes
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
      } catch let refused as Refused {
        let patches = batch?.patches ?? []
        let revision = try currentRevision(batch, subject)
        let answered = try finish(batch)
        // What was checked against a state that did not come about is checked again.
        guard answered.count == patches.count else { return answered }
        try refuse(
          stored, refused, message: subject.opened?.message,
          seen: subject.isInOrder ? subject.opened?.digest : nil, revision: revision)
        return answered.union([stored.id])
      }
    }
    return try finish(batch)
  }

  /// How far a message has come before it was refused.
  private struct Subject {
    var opened: OpenedMessage?
    var checkout: CheckoutSettings?
    /// Its sequence number was accepted, and is used up whatever follows.
    var isInOrder = false
  }

  /// Opens and checks one message, and adds it to the batch; `false`: it has to wait for the next step.
  private func advance(
    _ stored: StoredMessage, _ batch: inout Batch?, _ subject: inout Subject
  ) throws -> Bool {
    let opened = try open.open(stored, now: now())
    subject.opened = opened
    let settings = try route(opened.message)
    subject.checkout = settings
    if faults.isWaiting(settings.path) {
      faults.hold(stored.id, for: settings.path)
      return true
    }
    if let batch, batch.checkout.settings != settings || opened.message.payload.kind == .pack {
      return false
    }
    try Sequence(inbox: inbox).require(opened, behind: batch?.patches.last)
    subject.isInOrder = true
    try withFaults(of: settings) {
      let target = try batch ?? newBatch(for: opened.message, settings)
      batch = target
      target.add(try Check(batch: target).check(opened, stored))
    }
    return true
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
    } catch {
      throw CheckoutFault(path: settings.path, reason: error)
    }
  }

  /// Answers a message with a refusal.
  func refuse(
    _ stored: StoredMessage, _ refused: Refused, message: Message? = nil,
    seen: ContentDigest? = nil, revision: ObjectID? = nil
  ) throws {
    log.warning(
      "refused",
      metadata: [
        "message": "\(stored.id.abbreviated)", "reason": "\(refused.refusal.rawValue)",
        "detail": "\(refused.detail)",
        "stream": "\(message.map { "\($0.remote) \($0.ref)" } ?? "unknown")",
      ])
    try answer.answer([
      Outcome(
        stored: stored, message: message, seen: seen,
        outcome: .refused(refused.refusal, detail: refused.detail), revision: revision)
    ])
    onAnswer()
  }

  /// The checkout that a message is for.
  private func route(_ message: Message) throws(Refused) -> CheckoutSettings {
    let sameRemote = checkouts.filter { $0.remote.utf8.elementsEqual(message.remote.utf8) }
    guard !sameRemote.isEmpty else {
      throw Refused(.remoteMismatch, "no checkout here has the remote \(message.remote)")
    }
    guard let settings = sameRemote.first(where: { $0.branch == message.ref }) else {
      throw Refused(.branchMismatch, "no checkout here is on the branch \(message.ref.shortName)")
    }
    guard settings.signers.contains(message.signer) else {
      throw Refused(.unknownSigner, "this signer is not trusted for \(settings.path)")
    }
    return settings
  }

  private func newBatch(for message: Message, _ settings: CheckoutSettings) throws -> Batch {
    Batch(try Checkout.open(settings, canCreate: message.before == nil, indexes: indexes))
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
      log.warning(
        "the index could not be written yet",
        metadata: ["checkout": "\(batch.checkout.settings.path)", "error": "\(error)"])
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
    log.notice(
      "applied",
      metadata: [
        "message": "\(applied.patch.stored.id.abbreviated)", "remote": "\(message.remote)",
        "branch": "\(message.ref)", "revision": "\(message.after.revision.abbreviated)",
        "sequence": "\(message.sequence)", "paths": "\(applied.patch.changes.count)",
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
