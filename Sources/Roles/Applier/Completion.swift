import Git
import GitModel
import Logging
import Mailboxes
import MessageFormat

/// Brings a step from its journal entry to its end, in the run that began it or in a later one.
///
/// What a killed run had begun goes forward where nothing is in the way, since everything that the step needs was durable
/// before its journal; otherwise back, and the messages are tried again. Where commands decide whether the revision stays,
/// they are asked when it stands, and asked again by the next run if this one is killed meanwhile.
final class Completion {
  let journal: Journal
  let inbox: Inbox
  let answer: Answer
  let indexes: IndexCache
  let commands: CommandThreads
  let log: Logger
  let onPhase: PhaseObserver

  init(
    journal: Journal, inbox: Inbox, answer: Answer, indexes: IndexCache, commands: CommandThreads,
    log: Logger, onPhase: @escaping PhaseObserver
  ) {
    self.journal = journal
    self.inbox = inbox
    self.answer = answer
    self.indexes = indexes
    self.commands = commands
    self.log = log
    self.onPhase = onPhase
  }

  enum Result: Equatable {
    case nothingToDo
    /// A command runs.
    case waiting
    case finished(ObjectID, Set<MessageID>)
    /// The revision turned out to be of no use.
    case failed(ObjectID, reason: String, RollBack, Set<MessageID>)
    /// Someone moved the branch or changed a file since: their work stays, the step is taken back.
    case givenUp(found: ObjectID?)
    /// Nothing is there. What is mounted late comes back as it was, and is finished then; what was removed gets a snapshot.
    case away
  }

  func complete(_ settings: CheckoutSettings) throws -> Result {
    guard let entry = try journal.entry(of: settings.path) else { return .nothingToDo }
    do {
      let checkout = try Checkout.reopen(settings, indexes: indexes)
      let deployment = checkout.deployment(journal: journal, onPhase: onPhase)
      if entry.phase == .failed {
        return try takeBack(entry, entry.reason ?? "unknown", of: checkout, by: deployment)
      }
      switch try deployment.recover(entry) {
      case .activated: return try confirm(entry, of: checkout, by: deployment)
      case .takenBack:
        try end(entry)
        return .givenUp(found: checkout.head?.revision)
      }
    } catch let error as GitError where error.isMissing {
      guard try EmptyCheckout(of: settings) == nil else { return .away }
      try end(entry)
      return .givenUp(found: nil)
    } catch is Refused {
      // What is there is no checkout any more, or not in this form; the messages are told so.
      try end(entry)
      return .givenUp(found: nil)
    }
  }

  private func end(_ entry: Journal.Entry) throws {
    try journal.end(entry.checkout)
    commands.forget(entry.checkout)
  }

  // MARK: - Whether the revision works

  private func confirm(
    _ entry: Journal.Entry, of checkout: Checkout, by deployment: any Deployment
  ) throws -> Result {
    let settings = checkout.settings
    guard settings.commands.areToConfirm else { return try answerApplied(entry) }
    let asked = StepCommands(
      commands: settings.commands,
      step: try facts(of: entry, in: checkout, at: deployment.directory(of: entry.after)))
    let verdict = try commands.verdict(on: .isGood, of: entry.name, for: settings.path) {
      asked.confirm(until: $0)
    }
    switch verdict {
    case nil, .stopped: return .waiting
    case .good: return try answerApplied(entry)
    case .bad(let reason):
      try journal.fail(settings.path, reason)
      try onPhase(.failed)
      return try takeBack(entry, reason, of: checkout, by: deployment)
    }
  }

  /// They were verified and checked before the journal named them, by the lists of trusted signers of that time.
  private func answerApplied(_ entry: Journal.Entry) throws -> Result {
    let outcomes = try outcomes(of: entry) { .applied($0.after) }
    try answer.answer(outcomes) { try Journal.end(entry.checkout, in: $0) }
    commands.forget(entry.checkout)
    try onPhase(.answered)
    return .finished(entry.after, entry.messageIDs)
  }

  private func takeBack(
    _ entry: Journal.Entry, _ reason: String, of checkout: Checkout, by deployment: any Deployment
  ) throws -> Result {
    let settings = checkout.settings
    let rollBack =
      settings.commands.health?.onFailure == .keep
      ? .impossible("'on-failure: keep'") : try deployment.rollBack(entry)
    try onPhase(.rolledBack)
    if settings.commands.onFailure != nil {
      let asked = StepCommands(
        commands: settings.commands,
        step: try facts(
          of: entry, in: checkout,
          at: deployment.directory(of: entry.standing(after: rollBack))))
      let verdict = try commands.verdict(on: .failure, of: entry.name, for: settings.path) {
        asked.tellFailure(reason, until: $0)
      }
      switch verdict {
      case nil, .stopped: return .waiting
      case .good: break
      case .bad(let fault):
        log.report(.commandFailed, ["checkout": "\(settings.path)", "error": "\(fault)"])
      }
    }
    try answerFailed(entry, reason, rollBack)
    return .failed(entry.after, reason: reason, rollBack, entry.messageIDs)
  }

  private func answerFailed(
    _ entry: Journal.Entry, _ reason: String, _ rollBack: RollBack
  ) throws {
    let refused =
      switch rollBack {
      case .done: Refused(.rolledBack, reason)
      case .impossible(let why): Refused(.unhealthy, "\(reason); not taken back: \(why)")
      }
    let outcomes = try outcomes(of: entry, at: entry.standing(after: rollBack)) { _ in
      .refused(refused.refusal, detail: refused.detail)
    }
    let time = answer.now()
    try answer.answer(outcomes) { database in
      if let message = entry.messages.last?.message {
        try Inbox.recordRejected(refused, message, at: time, in: database)
        if rollBack != .done { try Inbox.recordApplied(message, in: database) }
      }
      try Journal.end(entry.checkout, in: database)
    }
    commands.forget(entry.checkout)
    try onPhase(.answered)
  }

  /// `revision`: that stands now; `nil`: of those that say it themselves.
  private func outcomes(
    of entry: Journal.Entry, at revision: ObjectID? = nil, _ outcome: (Message) -> Receipt.Outcome
  ) throws -> [Outcome] {
    try entry.messages.compactMap { id, message in
      guard let stored = try inbox.message(id) else { return nil }
      return Outcome(
        stored: stored, message: message, seen: ContentDigest(of: message.encoded()),
        outcome: outcome(message), revision: revision)
    }
  }

  private func facts(
    of entry: Journal.Entry, in checkout: Checkout, at directory: String
  ) throws -> StepCommands.Facts {
    let objects = checkout.repository.objects
    let before = try entry.before.map { try objects.commit($0).tree }
    let changes = try objects.changes(
      from: before, to: try objects.commit(entry.after).tree, limits: .counted)
    return StepCommands.Facts(
      stream: checkout.settings.stream, before: entry.before, after: entry.after,
      sequence: entry.messages.last?.message.sequence ?? 0, directory: directory,
      changedPaths: changes.map(\.path))
  }
}

extension Journal.Entry {
  /// Tells this step from others of the checkout.
  fileprivate var name: String { StepNote(before: before, after: after).text }

  /// The revision that stands then.
  fileprivate func standing(after rollBack: RollBack) -> ObjectID {
    rollBack == .done ? before ?? after : after
  }

  fileprivate var messageIDs: Set<MessageID> { Set(messages.map(\.id)) }
}

extension GitError {
  /// The checkout is not there any more.
  fileprivate var isMissing: Bool {
    switch self {
    case .directoryMissing, .notRepository: true
    default: false
    }
  }
}
