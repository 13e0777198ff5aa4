import Diagnostics
package import Host
package import Logging
package import Mailboxes
package import MessageFormat
import Sodium

/// Takes messages out of the inbox, in order, through all stages. Belongs to one thread.
package final class Worker {
  private let settings: ApplierSettings
  private let inbox: Inbox
  private let journal: Journal
  private let completion: Completion
  private let commands: CommandThreads
  private let pipeline: Pipeline
  private let watch: Watch
  private let watchdog: Watchdog
  private let packUpkeep: PackUpkeep
  private let log: Logger
  private let moment: () -> Moment
  private let instant: () -> ContinuousClock.Instant
  private let onAnswer: () -> Void
  private static let giveBackMilliseconds: UInt64 = 600_000
  /// By the clock since the machine's start.
  private var nextGiveBack: UInt64 = 0
  private let commandBell = Bell()
  /// Of the inbox; what lies before it waits for a checkout.
  private var position: UInt64 = 0

  /// `now` is the time of day that messages speak of, `sinceBoot` the clock that ages are measured with, `instant` the one
  /// of waits. `onAnswer` is called when receipts wait to be collected, `onOutcome` for each message that was answered,
  /// `onPhase` at each phase of a step, `onCommandEnd`, on any thread, when a step can go on whose command has ended.
  package init(
    _ settings: ApplierSettings, store: MailboxStore, log: Logger,
    now: @escaping @Sendable () -> Timestamp,
    sinceBoot: @escaping @Sendable () -> BootTime = BootTime.now,
    instant: @escaping () -> ContinuousClock.Instant = { .now }, onAnswer: @escaping () -> Void,
    onOutcome: @escaping (Answered) -> Void = { _ in },
    onPhase: @escaping PhaseObserver = { _ in }, onCommandEnd: @escaping @Sendable () -> Void = {}
  ) {
    self.settings = settings
    self.log = log
    moment = { Moment(wall: now(), sinceBoot: sinceBoot()) }
    (self.instant, self.onAnswer) = (instant, onAnswer)
    inbox = Inbox(store: store, mailbox: settings.identity.public.mailbox)
    let route = Route(checkouts: settings.checkouts)
    let answer = Answer(
      identity: settings.identity, trustedSigners: settings.trustedSigners, store: store,
      route: route, now: now, onOutcome: onOutcome)
    journal = Journal(state: store.state)
    let indexes = IndexCache()
    commands = CommandThreads { [commandBell] in
      commandBell.ring()
      onCommandEnd()
    }
    completion = Completion(
      journal: journal, inbox: inbox, answer: answer, indexes: indexes, commands: commands,
      log: log, onPhase: onPhase)
    pipeline = Pipeline(
      open: Open(
        identity: settings.identity, trustedSigners: settings.trustedSigners,
        spoolDirectory: store.state.spool.path),
      admit: Admit(route: route, inbox: inbox), apply: Apply(journal: journal, onPhase: onPhase),
      answer: answer, commands: commands, indexes: indexes,
      faults: CheckoutFaults(
        share: InboxShare(checkoutCount: settings.checkouts.count), now: instant),
      log: log, moment: moment, onAnswer: onAnswer)
    watch = Watch(settings, inbox: inbox, log: log)
    watchdog = Watchdog(deadline: settings.deadline, log: log)
    packUpkeep = PackUpkeep(settings.checkouts, log: log)
  }

  /// What one call has come to.
  package enum Step: Sendable {
    case progress
    /// Nothing can be done now; with an end, a checkout is then tried again.
    case idle(until: ContinuousClock.Instant?)
  }

  /// Why a checkout's messages wait, if one's do.
  package var fault: CheckoutFault? { pipeline.faults.last }

  /// Handles the next messages, as many as one step takes.
  ///
  /// An error is the machine's, and concerns all checkouts: the messages stay, and are tried again.
  package func handleNext() throws -> Step {
    pipeline.faults.beginStep()
    // Without the watchdog: what a step had begun is finished, though it take longer than the rest of it had left.
    for path in commands.takeEnded() { pipeline.faults.endWork(path) }
    try complete()
    try restoreBlocksOnce()
    let waiting = try next()
    guard let first = waiting.first else { return try idle() }
    noteTouched()
    try watch.lookIfDue(at: moment())
    if try inbox.attemptCount(of: first.id) >= Inbox.attemptCountMax {
      let detail = "it ended the program, or took longer than \(settings.deadline), too often"
      try pipeline.refuse(first, Refused(.unprocessable, detail))
      return .progress
    }
    try inbox.countAttempt(of: waiting)
    let byteCount = waiting.reduce(0) { $0 + $1.size.byteCount }
    return try watchdog.watch(byteCount: byteCount, onExpiry: expiry(of: waiting)) {
      var answered: Set<MessageID> = []
      do {
        answered = try pipeline.handle(waiting)
      } catch {
        try inbox.forgetAttempts(of: waiting)
        throw error
      }
      try inbox.forgetAttempts(of: waiting.filter { !answered.contains($0.id) })
      pass(waiting, answered)
      return .progress
    }
  }

  /// Returns when a command has ended; false: none runs. For a caller that has nothing else to wait for.
  package func waitForCommand() -> Bool {
    guard !commands.isIdle else { return false }
    commandBell.wait(for: nil)
    return true
  }

  /// What waited for a checkout that is tried again goes first: nothing may pass it.
  private func next() throws -> [StoredMessage] {
    if let held = pipeline.faults.readyMessages(countMax: Batch.messageCountMax) {
      let messages = try inbox.next(of: held)
      if !messages.isEmpty { return messages }
      // They expired.
      pipeline.faults.release(Set(held))
    }
    return try inbox.next(countMax: Batch.messageCountMax, after: position)
  }

  private func pass(_ waiting: [StoredMessage], _ answered: Set<MessageID>) {
    for message in waiting {
      guard answered.contains(message.id) || pipeline.faults.isHeld(message.id) else { return }
      position = max(position, message.entry.position)
    }
  }

  /// What is to be noted when these take too long.
  private func expiry(of messages: [StoredMessage]) -> @Sendable () -> Void {
    { [inbox, log] in
      do {
        try inbox.countOverdue(messages)
      } catch {
        log.report(.noteFailed, ["error": "\(error)"])
      }
    }
  }

  private func idle() throws -> Step {
    pipeline.faults.forgetEnded()
    let moment = moment()
    try upkeep(at: moment)
    noteTouched()
    packUpkeep.run()
    let look = try watch.look(at: moment).map { instant() + $0 }
    return .idle(until: [look, pipeline.faults.nextEnd].compactMap { $0 }.min())
  }

  /// What removed rows have left goes back to the file system, a part at a time.
  private func upkeep(at moment: Moment) throws {
    // Receipts that are never collected.
    let swept = try inbox.store.sweep(at: moment.wall)
    if swept.messageCount > 0 { log.report(.messageExpired, swept.fields) }
    let now = moment.sinceBoot.milliseconds
    guard now >= nextGiveBack else { return }
    let hasMore = try inbox.store.state.giveBackSpace()
    if !hasMore { nextGiveBack = now + Self.giveBackMilliseconds }
  }

  private func noteTouched() {
    let touched = pipeline.takeTouched()
    watch.touch(touched)
    packUpkeep.touch(Set(touched.keys))
  }

  // MARK: - Checkouts that an earlier step, or an earlier run, has left

  private var isRestored = false

  private func restoreBlocksOnce() throws {
    guard !isRestored else { return }
    for checkout in settings.checkouts where try inbox.block(of: checkout.stream) != nil {
      pipeline.faults.restoreBlock(of: checkout.path)
    }
    isRestored = true
  }

  /// Finishes what a killed or failed step had begun, and what commands have decided; before every step.
  private func complete() throws {
    // The first time all are asked, so that it knows which were left by an earlier run.
    let paths = isRestored ? try journal.checkouts() : Set(settings.checkouts.map(\.path))
    guard !paths.isEmpty else { return }
    for checkout in settings.checkouts
    where paths.contains(checkout.path) && !pipeline.faults.isWaiting(checkout.path) {
      do {
        note(try completion.complete(checkout), of: checkout)
      } catch {
        try pipeline.note(CheckoutFault(path: checkout.path, reason: error))
      }
    }
  }

  private func note(_ result: Completion.Result, of checkout: CheckoutSettings) {
    var fields: Logger.Metadata = ["checkout": "\(checkout.path)"]
    switch result {
    case .nothingToDo, .away: return
    case .waiting: return pipeline.faults.beginWork(checkout.path)
    case .finished(let revision, let messages):
      fields["revision"] = "\(revision.abbreviated)"
      log.report(checkout.commands.areToConfirm ? .applied : .recovered, fields)
      pipeline.noteCompleted(messages, of: checkout.path)
    case .failed(let revision, let reason, let rollBack, let messages):
      fields["revision"] = "\(revision.abbreviated)"
      fields["reason"] = "\(reason)"
      if case .impossible(let why) = rollBack { fields["error"] = "\(why)" }
      log.report(rollBack == .done ? .rolledBack : .rollBackFailed, fields)
      pipeline.noteCompleted(messages, of: checkout.path)
    case .givenUp(let found):
      fields["found"] = "\(found?.abbreviated ?? "nothing")"
      log.report(.recoveryFailed, fields)
    }
  }
}
