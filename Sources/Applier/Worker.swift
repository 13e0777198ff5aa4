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
  private let watchdog: Watchdog
  private let log: Logger
  private let now: () -> Timestamp

  /// `onAnswer` is called when receipts wait to be collected.
  package init(
    _ settings: ApplierSettings, store: MailboxStore, log: Logger,
    now: @escaping @Sendable () -> Timestamp, onAnswer: @escaping () -> Void
  ) {
    self.settings = settings
    self.log = log
    self.now = now
    inbox = Inbox(store: store, mailbox: settings.identity.public.mailbox)
    let open = Open(
      identity: settings.identity, trustedSigners: settings.trustedSigners,
      spoolDirectory: store.state.spool.path)
    let answer = Answer(
      identity: settings.identity, trustedSigners: settings.trustedSigners, store: store, now: now)
    let journal = Journal(state: store.state)
    let indexes = IndexCache()
    recovery = Recovery(
      journal: journal, inbox: inbox, open: open, answer: answer, indexes: indexes)
    pipeline = Pipeline(
      checkouts: settings.checkouts, inbox: inbox, open: open, answer: answer, journal: journal,
      indexes: indexes, log: log, now: now, onAnswer: onAnswer)
    watchdog = Watchdog(deadline: settings.deadline, log: log)
  }

  /// Finishes what a killed or failed step had begun; before every step, since a fault may have left one.
  private func recover() throws {
    for checkout in settings.checkouts {
      switch try recovery.recover(checkout, now: now()) {
      case .nothingToDo: break
      case .finished(let revision):
        log.notice(
          "finished an interrupted step",
          metadata: [
            "checkout": "\(checkout.path)", "revision": "\(revision.abbreviated)",
          ])
      case .givenUp(let found):
        log.error(
          "an interrupted step was not finished: the branch was moved since",
          metadata: [
            "checkout": "\(checkout.path)", "found": "\(found?.abbreviated ?? "nothing")",
          ])
      }
    }
  }

  /// Handles the next messages, as many as one step takes; answers how many were answered.
  ///
  /// An error is the machine's: the messages stay, and are tried again.
  package func handleNext() throws -> Int {
    try recover()
    let waiting = try inbox.next(countMax: Batch.messageCountMax)
    guard let first = waiting.first else { return 0 }
    if try inbox.attemptCount(of: first.id) >= Inbox.attemptCountMax {
      let detail = "it ended the program, or took longer than \(settings.deadline), twice"
      try pipeline.refuse(first, Refused(.unprocessable, detail))
      return 1
    }
    try inbox.countAttempt(of: waiting)
    return try watchdog.watch {
      do {
        let count = try pipeline.handle(waiting)
        try inbox.forgetAttempts(of: Array(waiting.dropFirst(count)))
        return count
      } catch {
        try inbox.forgetAttempts(of: waiting)
        throw error
      }
    }
  }
}
