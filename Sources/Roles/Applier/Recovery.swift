import Git
import GitModel
import Mailboxes
import MessageFormat
import Patching
import WorkingTree

/// Ends what a killed run had begun: forward where nothing is in the way, since everything that the step needs was
/// durable before its journal; otherwise back, and the messages are tried again.
final class Recovery {
  let journal: Journal
  let inbox: Inbox
  let answer: Answer
  let indexes: IndexCache
  let onPhase: PhaseObserver

  init(
    journal: Journal, inbox: Inbox, answer: Answer, indexes: IndexCache,
    onPhase: @escaping PhaseObserver
  ) {
    self.journal = journal
    self.inbox = inbox
    self.answer = answer
    self.indexes = indexes
    self.onPhase = onPhase
  }

  enum Result: Equatable {
    case nothingToDo
    case finished(ObjectID)
    /// Someone moved the branch or changed a file since: their work stays, the step is taken back.
    case givenUp(found: ObjectID?)
    /// Nothing is there. What is mounted late comes back as it was, and is finished then; what was removed gets a snapshot.
    case away
  }

  func recover(_ settings: CheckoutSettings) throws -> Result {
    guard let entry = try journal.entry(of: settings.path) else { return .nothingToDo }
    do {
      let checkout = try Checkout.reopen(settings, indexes: indexes)
      let deployment: any Deployment = WorkingCopy(
        checkout, journal: journal, onPhase: onPhase)
      switch try deployment.recover(entry) {
      case .activated:
        try answerMessages(of: entry)
        return .finished(entry.after)
      case .takenBack:
        try journal.end(settings.path)
        return .givenUp(found: checkout.head?.revision)
      }
    } catch let error as GitError where error.isMissing {
      guard try EmptyCheckout(of: settings) == nil else { return .away }
      try journal.end(settings.path)
      return .givenUp(found: nil)
    } catch is Refused {
      // What is there is no checkout any more, or not in this form; the messages are told so.
      try journal.end(settings.path)
      return .givenUp(found: nil)
    }
  }

  /// They were verified and checked before the journal named them, by the lists of trusted signers of that time.
  private func answerMessages(of entry: Journal.Entry) throws {
    var outcomes: [Outcome] = []
    for (id, message) in entry.messages {
      guard let stored = try inbox.message(id) else { continue }
      outcomes.append(
        Outcome(
          stored: stored, message: message, seen: ContentDigest(of: message.encoded()),
          outcome: .applied(message.after), revision: message.after.revision))
    }
    try answer.answer(outcomes) { try Journal.end(entry.checkout, in: $0) }
  }
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

extension WorkingCopy {
  func recover(_ entry: Journal.Entry) throws -> RecoveredStep {
    let head = checkout.head?.revision
    if head == entry.after {
      try checkout.releaseLeftoverPacks()
      return .activated
    }
    do {
      if head == entry.before, try redo(entry) {
        try checkout.releaseLeftoverPacks()
        return .activated
      }
    } catch {
      // Made again from the inbox, by the checks that refuse it by name or wait.
      guard error is Refused || error is StepFault || error is GitError else { throw error }
    }
    try checkout.discardLeftoverPacks()
    return .takenBack
  }

  /// False: what the step needs is not there any more.
  private func redo(_ entry: Journal.Entry) throws -> Bool {
    let objects = checkout.repository.objects
    guard objects.contains(entry.after) else { return false }
    let before = try entry.before.map { try objects.commit($0).tree }
    let after = try objects.commit(entry.after).tree
    var changes = try objects.changes(from: before, to: after, limits: .counted)
    var contents: [TreePath: LargeFilePointer] = [:]
    if entry.shipsLargeFiles {
      contents = try checkout.storedLargeFiles(at: changes, ofCommit: entry.after)
      if entry.messages.last?.message.payload.kind == .replacement {
        let unwritten = try checkout.unwrittenLargeFiles(
          of: after, in: ObjectOverlay(over: objects), except: changes,
          where: checkout.largeFiles.contains)
        for (change, pointer) in unwritten {
          changes.append(change)
          contents[change.path] = pointer
        }
      }
    }
    var submodules: SubmoduleChanges?
    if let message = entry.messages.last?.message, message.payload.submodules != nil {
      submodules = try checkout.submoduleChanges(
        at: changes, to: after, in: ObjectOverlay(over: objects),
        isWhole: message.payload.kind == .replacement, incoming: nil)
    }
    var expected: [TreePath: ExpectedContent] = [:]
    if checkout.settings.onLocalChanges == .refuse {
      expected = try checkout.requireNoLocalChange(changes, contents, submodules)
    }
    var step = WorkingCopyStep(
      before: entry.before, after: entry.after, changes: changes, expected: expected, packs: [],
      patches: nil, contents: contents, submodules: submodules)
    let inner = submodules?.objects
    try stage(&step) { id throws(GitError) in
      if let inner, inner.contains(id) { return try inner.read(id, .blob) }
      return try objects.read(id, .blob)
    }
    try run(step)
    return true
  }
}
