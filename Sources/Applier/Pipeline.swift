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

  /// Everything from the front of `waiting` that one step can take; answers how many were answered.
  func handle(_ waiting: [StoredMessage]) throws -> Int {
    var batch: Batch?
    for stored in waiting {
      if let batch, batch.isFull || stored.size.byteCount > Self.joinByteCountMax { break }
      var subject: OpenedMessage?
      var routed: CheckoutSettings?
      var isSeen = false
      do {
        let opened = try open.open(stored, now: now())
        subject = opened
        let settings = try route(opened.message)
        routed = settings
        if let batch, batch.checkout.settings != settings || opened.message.payload.kind == .pack {
          break
        }
        try Sequence(inbox: inbox).require(opened, behind: batch?.patches.last)
        isSeen = true
        let target = try batch ?? newBatch(for: opened.message, settings)
        batch = target
        target.add(try Check(batch: target).check(opened, stored))
      } catch let refused as Refused {
        let revision = try batch.map(\.current?.revision) ?? routed.flatMap(Checkout.revision(of:))
        if let batch, batch.patches.isEmpty { try batch.checkout.discardIfMade() }
        let count = try finish(batch)
        // What was checked against a state that did not come about is checked again.
        guard count == batch?.patches.count ?? 0 else { return count }
        try refuse(
          stored, refused, message: subject?.message, seen: isSeen ? subject?.digest : nil,
          revision: revision)
        return count + 1
      }
    }
    return try finish(batch)
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
    let sameRemote = checkouts.filter { $0.remote == message.remote }
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

  /// Applies and answers; answers how many messages that were.
  private func finish(_ batch: Batch?) throws -> Int {
    guard let batch, !batch.patches.isEmpty else { return 0 }
    let path = batch.checkout.settings.path
    let applied: [AppliedPatch]
    do {
      applied = try Apply(journal: journal).apply(batch)
    } catch let refused as Refused {
      return try retryOneByOne(batch, refused)
    }
    try answer.answer(applied.map { Outcome($0) }) { try Journal.markAnswered(path, in: $0) }
    onAnswer()
    for patch in applied { logApplied(patch) }
    try IndexRefresh(checkout: batch.checkout).run(Array(batch.changes.values))
    try journal.end(path)
    return applied.count
  }

  /// Something is in the way of one of several messages: the ones before it are still good.
  private func retryOneByOne(_ batch: Batch, _ refused: Refused) throws -> Int {
    guard batch.patches.count == 1, let patch = batch.patches.first else {
      batch.checkout.release()
      return try handle([batch.patches[0].stored])
    }
    try batch.checkout.discardIfMade()
    try refuse(
      patch.stored, refused, message: patch.message, seen: patch.digest,
      revision: batch.checkout.head?.revision)
    return 1
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
