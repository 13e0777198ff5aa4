import Git
import GitModel
import Mailboxes
import MessageFormat
import WorkingTree

/// Finishes what a killed run had begun: forward, since everything that the step needs was durable before its journal.
final class Recovery {
  let journal: Journal
  let inbox: Inbox
  let answer: Answer
  let indexes: IndexCache

  /// Checkouts that have come through it once in this process: what is in their journal later, it has left itself.
  private var settled: Set<String> = []

  init(journal: Journal, inbox: Inbox, answer: Answer, indexes: IndexCache) {
    self.journal = journal
    self.inbox = inbox
    self.answer = answer
    self.indexes = indexes
  }

  enum Result: Equatable {
    case nothingToDo
    case finished(ObjectID)
    /// Someone moved the branch since: the files are left as they are.
    case givenUp(found: ObjectID?)
    /// Nothing is there. What is mounted late comes back as it was, and is finished then; what was removed gets a snapshot.
    case away
  }

  func recover(_ settings: CheckoutSettings) throws -> Result {
    let result = try finishStep(of: settings)
    if result != .away { settled.insert(settings.path) }
    return result
  }

  private func finishStep(of settings: CheckoutSettings) throws -> Result {
    guard let entry = try journal.entry(of: settings.path) else { return .nothingToDo }
    do {
      let checkout = try Checkout.reopen(
        settings, afterKill: !settled.contains(settings.path), indexes: indexes)
      let head = checkout.head?.revision
      let changes = try self.changes(of: entry, in: checkout)
      guard try isOurs(checkout, entry, changes) else {
        try journal.end(settings.path)
        return .givenUp(found: head)
      }
      if !entry.isAnswered {
        if head != entry.after { try redo(changes, in: checkout, to: entry.after) }
        try answerMessages(of: entry)
      }
      // Someone may have edited a file since: its status must not vouch for it.
      try IndexRefresh(checkout: checkout).run(changes, withStatus: false)
    } catch let error as GitError where error.isMissing {
      guard try EmptyCheckout(of: settings) == nil else { return .away }
      try journal.end(settings.path)
      return .givenUp(found: nil)
    }
    try journal.end(settings.path)
    return .finished(entry.after)
  }

  private func redo(_ changes: [TreeChange], in checkout: Checkout, to revision: ObjectID) throws {
    var staging = try Staging(directory: checkout.stagingDirectory)
    let staged = try Apply.stage(changes, in: checkout, &staging)
    try checkout.files.commit(staged, from: staging)
    try Apply.moveBranch(of: checkout, to: revision)
  }

  /// Whether the checkout is as the killed run left it: on its branch, at either revision, and every file that is to be
  /// written as one of the two revisions has it, or gone.
  private func isOurs(
    _ checkout: Checkout, _ entry: Journal.Entry, _ changes: [TreeChange]
  ) throws -> Bool {
    let head = checkout.head?.revision
    guard head == entry.before || head == entry.after,
      try checkout.repository.headSymbolicTarget() == checkout.settings.stream.branch.fullName
    else { return false }
    guard head != entry.after, checkout.settings.onLocalChanges == .refuse else { return true }
    return try LocalChanges(checkout: checkout, pending: [:]).isHalfway(changes)
  }

  private func changes(of entry: Journal.Entry, in checkout: Checkout) throws -> [TreeChange] {
    let objects = checkout.repository.objects
    let before = try entry.before.map { try objects.commit($0).tree }
    return try objects.changes(
      from: before, to: try objects.commit(entry.after).tree, limits: .counted)
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
    try answer.answer(outcomes) { try Journal.markAnswered(entry.checkout, in: $0) }
  }
}

extension GitError {
  /// The checkout, or the revision, is not there any more: removed, or restored from a backup.
  fileprivate var isMissing: Bool {
    switch self {
    case .directoryMissing, .notRepository, .objectMissing: true
    default: false
    }
  }
}

/// Brings `.git/index` to what was written, so that `git status` need not read the files.
struct IndexRefresh {
  let checkout: Checkout

  /// Without a status, git reads the files once before it trusts the index.
  func run(_ changes: [TreeChange], withStatus: Bool = true) throws {
    var removals: [TreePath] = []
    var upserts: [IndexUpsert] = []
    for change in changes {
      guard let new = change.new else {
        removals.append(change.path)
        continue
      }
      let status =
        withStatus ? try checkout.files.status(of: change.path).map { IndexedStatus($0) } : nil
      upserts.append(IndexUpsert(path: change.path, entry: new, status: status))
    }
    try checkout.index.update(removals: removals, upserts: upserts)
  }
}

extension IndexedStatus {
  init(_ status: FileStatus) {
    self.init(
      changed: Time(
        seconds: Int(status.changed.seconds), nanoseconds: Int(status.changed.nanoseconds)),
      modified: Time(
        seconds: Int(status.modified.seconds), nanoseconds: Int(status.modified.nanoseconds)),
      device: status.device, inode: status.inode, user: status.user, group: status.group,
      byteCount: Int(status.size))
  }
}
