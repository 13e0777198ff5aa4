import Git
import GitModel
import Mailboxes
import MessageFormat
import WorkingTree

/// Finishes what a killed run had begun: forward, since everything that the step needs was durable before its journal.
struct Recovery {
  let journal: Journal
  let inbox: Inbox
  let open: Open
  let answer: Answer
  let indexes: IndexCache

  enum Result: Equatable {
    case nothingToDo
    case finished(ObjectID)
    /// Someone moved the branch since: the files are left as they are.
    case givenUp(found: ObjectID?)
  }

  func recover(_ settings: CheckoutSettings, now: Timestamp) throws -> Result {
    guard let entry = try journal.entry(of: settings.path) else { return .nothingToDo }
    let checkout: Checkout
    do {
      checkout = try Checkout.reopen(settings, indexes: indexes)
    } catch let error as GitError where error.isMissingRepository {
      try journal.end(settings.path)
      return .givenUp(found: nil)
    }
    try checkout.removeLeftovers()
    let head = checkout.head?.revision
    guard head == entry.before || head == entry.after else {
      try journal.end(settings.path)
      return .givenUp(found: head)
    }
    let changes = try self.changes(of: entry, in: checkout)
    if !entry.isAnswered {
      if head != entry.after {
        var staging = try Staging(directory: checkout.stagingDirectory)
        let staged = try Apply.stage(changes, in: checkout, &staging)
        try checkout.files.commit(staged, from: staging)
        try Apply.moveBranch(of: checkout, to: entry.after)
      }
      try answerMessages(of: entry, now: now)
    }
    try IndexRefresh(checkout: checkout).run(changes)
    try journal.end(settings.path)
    return .finished(entry.after)
  }

  private func changes(of entry: Journal.Entry, in checkout: Checkout) throws -> [TreeChange] {
    let objects = checkout.repository.objects
    let before = try entry.before.map { try objects.commit($0).tree }
    return try objects.changes(from: before, to: try objects.commit(entry.after).tree)
  }

  /// They were verified and checked before the journal named them.
  private func answerMessages(of entry: Journal.Entry, now: Timestamp) throws {
    var outcomes: [Outcome] = []
    for id in entry.messages {
      guard let stored = try inbox.message(id) else { continue }
      let opened = try open.open(stored, now: stored.receivedAt)
      outcomes.append(
        Outcome(
          stored: stored, message: opened.message, seen: opened.digest,
          outcome: .applied(opened.message.after), revision: opened.message.after.revision))
    }
    try answer.answer(outcomes) { try Journal.markAnswered(entry.checkout, in: $0) }
  }
}

extension GitError {
  fileprivate var isMissingRepository: Bool {
    switch self {
    case .directoryMissing, .notRepository: true
    default: false
    }
  }
}

/// Brings `.git/index` to what was written, so that `git status` need not read the files.
struct IndexRefresh {
  let checkout: Checkout

  func run(_ changes: [TreeChange]) throws {
    var removals: [TreePath] = []
    var upserts: [IndexUpsert] = []
    for change in changes {
      guard let new = change.new else {
        removals.append(change.path)
        continue
      }
      let status = try checkout.files.status(of: change.path).map { IndexedStatus($0) }
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
