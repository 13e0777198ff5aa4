import Diagnostics
import Git
import GitModel
import Logging
import Mailboxes
import MessageFormat

/// The way of messages through the stages: opened, admitted and checked one by one, applied in one step where they follow
/// each other on one checkout, and answered in their order.
final class Pipeline {
  /// A larger message is only opened when it can be applied at once.
  private static let joinByteCountMax: UInt64 = 1 << 20

  private let open: Open
  let admit: Admit
  let inbox: Inbox
  let apply: Apply
  let answer: Answer
  let commands: CommandThreads
  private let indexes: IndexCache
  private let sizes = CheckoutSizes()
  let log: Logger
  let moment: () -> Moment
  let onAnswer: () -> Void
  var faults: CheckoutFaults
  /// Checkouts that something was found out about.
  private var touched: [String: CheckoutFinding] = [:]
  /// Checkouts that lack objects of the commit that their branch names, until a step mends them: a heartbeat's look alone
  /// does not go deep enough to see it, and would have the signer send what starts there again and again.
  private(set) var incomplete: [String: ObjectID] = [:]

  init(
    open: Open, admit: Admit, apply: Apply, answer: Answer, commands: CommandThreads,
    indexes: IndexCache, faults: CheckoutFaults, log: Logger, moment: @escaping () -> Moment,
    onAnswer: @escaping () -> Void
  ) {
    self.open = open
    self.admit = admit
    self.apply = apply
    self.answer = answer
    self.commands = commands
    self.indexes = indexes
    self.faults = faults
    self.log = log
    self.moment = moment
    self.onAnswer = onAnswer
    inbox = admit.inbox
  }

  /// What comes of a message before the step it is a part of is done.
  enum Turn {
    case joined(Batch)
    /// It stays in the inbox until its checkout can be worked on.
    case held
    /// It needs a step of its own, after those before it.
    case later
    case ends(Decision)
  }

  /// The front of `waiting`, as far as one step can take it; answers what was answered.
  func handle(_ waiting: [StoredMessage]) throws -> Set<MessageID> {
    do {
      let answered = try step(waiting)
      faults.release(answered)
      return answered
    } catch let fault as CheckoutFault {
      try note(fault)
      return []
    }
  }

  private func step(_ waiting: [StoredMessage]) throws -> Set<MessageID> {
    var batch: Batch?
    loop: for stored in waiting {
      if let batch, batch.isFull || stored.size.byteCount > Self.joinByteCountMax { break }
      switch try turn(of: stored, in: batch) {
      case .joined(let joined): batch = joined
      case .held: continue
      case .later: break loop
      case .ends(let decision):
        let patches = batch?.patches ?? []
        let answered = try finish(batch)
        // What was checked against a state that did not come about is checked again.
        guard answered.count == patches.count else { return answered }
        return answered.union(try conclude(decision))
      }
    }
    return try finish(batch)
  }

  private func turn(of stored: StoredMessage, in batch: Batch?) throws -> Turn {
    switch try read(stored) {
    case .ends(let decision): return .ends(decision)
    case .next(.heartbeat(let opened)):
      // What was sent before it is done first: it asks for what the checkout is at then.
      return batch == nil ? try turn(of: opened) : .later
    case .next(.message(let opened)):
      switch admit.route(opened) {
      case .ends(let decision): return .ends(decision)
      case .next(let routed): return try turn(of: routed, in: batch)
      }
    }
  }

  private func turn(of routed: RoutedMessage, in batch: Batch?) throws -> Turn {
    let settings = routed.settings
    if try isPaused(settings) || faults.isWaiting(settings.path) { return try hold(routed) }
    let payload = routed.opened.message.payload
    let canJoin = payload.map { $0.kind == .patch && $0.submodules == nil } ?? true
    if let batch, batch.checkout.settings != settings || !canJoin || isPermitted(batch) {
      return .later
    }
    switch try admit.admit(routed, behind: batch?.patches ?? []) {
    case .ends(let decision): return .ends(decision)
    case .next(let admitted):
      return try withFaults(of: settings, MessageReference(routed.opened)) {
        if let batch { return try check(admitted, in: batch) }
        switch try newBatch(for: admitted) {
        case .ends(let decision): return .ends(decision)
        case .next(let batch): return try check(admitted, in: batch)
        }
      }
    }
  }

  /// A file that cannot be read is the place that waits; the other messages go on.
  private func read(_ stored: StoredMessage) throws -> Passage<Opened> {
    do {
      return try open.open(stored, now: moment().wall)
    } catch let error as MailboxError where error.isOfOneMessage {
      let place = "message \(stored.id.abbreviated)"
      _ = faults.hold(.init(id: stored.id, byteCount: stored.size.byteCount), for: place)
      throw CheckoutFault(path: place, reason: error)
    }
  }

  private func newBatch(for admitted: AdmittedMessage) throws -> Passage<Batch> {
    do {
      let checkout = try Checkout.open(
        admitted.settings, canCreate: admitted.opened.message.before == nil, indexes: indexes)
      guard let checkout else { return .ends(.behind(admitted, nil)) }
      do throws(GitError) {
        return .next(try Batch(checkout, sizes: sizes))
      } catch {
        // A directory of it is lost: everything anew mends it.
        guard Check.isMissingObject(error), checkout.isDamaged else { throw error }
        incomplete[checkout.settings.path] = checkout.branchTarget
        return .ends(.behind(admitted, nil))
      }
    } catch let refused as Refused {
      return .ends(.refused(RefusedMessage(.admitted(admitted), refused)))
    }
  }

  private func check(_ admitted: AdmittedMessage, in batch: Batch) throws -> Turn {
    switch try Check(batch: batch, inbox: inbox, now: moment()).check(admitted) {
    case .next(let patch):
      batch.add(patch)
      return .joined(batch)
    case .ends(let decision):
      if case .behind(_, nil) = decision {
        incomplete[batch.checkout.settings.path] = batch.checkout.branchTarget
      }
      if batch.patches.isEmpty { try batch.checkout.discardIfMade() }
      return .ends(decision)
    }
  }

  // MARK: - The end of a step

  /// Applies and answers a batch; or leaves it to commands, and its messages wait.
  private func finish(_ batch: Batch?) throws -> Set<MessageID> {
    guard let batch, let first = batch.patches.first else { return [] }
    let settings = batch.checkout.settings
    return try withFaults(of: settings, MessageReference(first.admitted.opened)) {
      switch try permission(for: batch) {
      case .good: break
      case nil, .stopped: return try wait(for: batch)
      case .bad(let reason): return try veto(batch, reason)
      }
      let applied: [AppliedPatch]
      do {
        applied = try apply.apply(batch)
      } catch let refused as Refused {
        return try refuseObstructed(batch, refused)
      }
      commands.forget(settings.path)
      guard !settings.commands.areToConfirm else {
        // Its completion asks them, and answers.
        faults.hold(batch.patches, for: settings.path)
        return []
      }
      try answer.answer(applied.map { Outcome($0) }) { database in
        try Journal.end(settings.path, in: database)
      }
      try apply.onPhase(.answered)
      onAnswer()
      for patch in applied { log.report(.applied, patch) }
      noteMoved(settings.path)
      return Set(batch.patches.map(\.stored.id))
    }
  }

  /// A step has come to its end after all.
  func noteCompleted(_ messages: Set<MessageID>, of path: String) {
    faults.release(messages)
    noteMoved(path)
    onAnswer()
  }

  /// The checkout is at another revision, and whole.
  private func noteMoved(_ path: String) {
    faults.forget(path)
    incomplete[path] = nil
    touched[path] = .unknown
  }

  /// Something stands in the way of one of the messages. Which one shows when the first is handled alone.
  private func refuseObstructed(_ batch: Batch, _ refused: Refused) throws -> Set<MessageID> {
    let first = batch.patches[0]
    guard batch.patches.count == 1 else {
      batch.checkout.release()
      return try step([first.stored])
    }
    try batch.checkout.discardIfMade()
    return try conclude(.refused(RefusedMessage(.admitted(first.admitted), refused)))
  }

  private func conclude(_ decision: Decision) throws -> Set<MessageID> {
    try answer.answer(decision, at: moment())
    log.report(decision)
    if case .heartbeatDropped = decision {} else { onAnswer() }
    for path in decision.workablePaths { faults.forget(path) }
    touched.merge(decision.findings) { $1 }
    return [decision.stored.id]
  }

  func takeTouched() -> [String: CheckoutFinding] {
    defer { touched = [:] }
    return touched
  }

  /// Answers a message with a refusal, unopened.
  func refuse(_ stored: StoredMessage, _ refused: Refused) throws {
    faults.release(try conclude(.refused(RefusedMessage(.unopened(stored), refused))))
  }
}
