import Diagnostics
package import Logging
package import Mailboxes
package import MessageFormat
import Sodium

/// Takes messages out of the inbox, in order, through all stages. Belongs to one thread.
package final class Worker {
  private let settings: ApplierSettings
  private let inbox: Inbox
  private let recovery: Recovery
  private let pipeline: Pipeline
  private let watch: Watch
  private let watchdog: Watchdog
  private let log: Logger
  private let now: () -> Timestamp
  private let onAnswer: () -> Void

  /// `now` is the time of day that messages speak of, `instant` what waits are measured with. `onAnswer` is called when receipts wait to be collected, `onOutcome` for each message that was answered.
  package init(
    _ settings: ApplierSettings, store: MailboxStore, log: Logger,
    now: @escaping @Sendable () -> Timestamp,
    instant: @escaping () -> ContinuousClock.Instant = { .now }, onAnswer: @escaping () -> Void,
    onOutcome: @escaping (Answered) -> Void = { _ in }
  ) {
    self.settings = settings
    self.log = log
    self.now = now
    self.onAnswer = onAnswer
    inbox = Inbox(store: store, mailbox: settings.identity.public.mailbox)
    let open = Open(
      identity: settings.identity, trustedSigners: settings.trustedSigners,
      spoolDirectory: store.state.spool.path)
    let answer = Answer(
      identity: settings.identity, trustedSigners: settings.trustedSigners, store: store,
      route: Route(checkouts: settings.checkouts), now: now, onOutcome: onOutcome)
    let journal = Journal(state: store.state)
    let indexes = IndexCache()
    recovery = Recovery(journal: journal, inbox: inbox, answer: answer, indexes: indexes)
    pipeline = Pipeline(
      checkouts: settings.checkouts, inbox: inbox, open: open, answer: answer, journal: journal,
      indexes: indexes, faults: CheckoutFaults(now: instant), log: log, now: now,
      onAnswer: onAnswer)
    watch = Watch(settings, inbox: inbox, log: log)
    watchdog = Watchdog(deadline: settings.deadline, log: log)
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
    recover()
    let waiting = try inbox.next(countMax: Batch.messageCountMax, after: pipeline.faults)
    guard let first = waiting.first else { return try idle() }
    try watch.lookIfDue(at: now())
    if try inbox.attemptCount(of: first.id) >= Inbox.attemptCountMax {
      let detail = "it ended the program, or took longer than \(settings.deadline), too often"
      try pipeline.refuse(first, Refused(.unprocessable, detail))
      return .progress
    }
    try inbox.countAttempt(of: waiting)
    return try watchdog.watch(onExpiry: expiry(of: waiting)) {
      do {
        let answered = try pipeline.handle(waiting)
        try inbox.forgetAttempts(of: waiting.filter { !answered.contains($0.id) })
      } catch {
        try inbox.forgetAttempts(of: waiting)
        guard let fault = error as? CheckoutFault else { throw error }
        note(fault)
      }
      return .progress
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
    let now = now()
    // Receipts that nobody collects.
    _ = try inbox.store.sweep(at: now)
    let look = try watch.look(at: now).map { next in
      ContinuousClock.now + .milliseconds(Int64(clamping: next.milliseconds - now.milliseconds))
    }
    return .idle(until: [look, pipeline.faults.nextEnd].compactMap { $0 }.min())
  }

  /// Finishes what a killed or failed step had begun; before every step, since a fault may have left one.
  private func recover() {
    for checkout in settings.checkouts where !pipeline.faults.isWaiting(checkout.path) {
      do {
        report(try recovery.recover(checkout), of: checkout)
      } catch {
        note(CheckoutFault(path: checkout.path, reason: error))
      }
    }
  }

  private func note(_ fault: CheckoutFault) {
    pipeline.faults.note(fault)
    log.report(
      .checkoutBlocked,
      ["checkout": "\(fault.path)", "error": "\(fault.detail)"])
  }

  private func report(_ result: Recovery.Result, of checkout: CheckoutSettings) {
    switch result {
    case .nothingToDo, .away: break
    case .finished(let revision):
      onAnswer()
      log.report(
        .recovered,
        ["checkout": "\(checkout.path)", "revision": "\(revision.abbreviated)"])
    case .givenUp(let found):
      log.report(
        .recoveryFailed,
        [
          "checkout": "\(checkout.path)", "found": "\(found?.abbreviated ?? "nothing")",
        ])
    }
  }
}
