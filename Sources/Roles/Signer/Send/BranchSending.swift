import Git
import GitModel
import MessageFormat
import Sodium

/// One branch on its way into the outbox: a message for each group of recipients that start from the same revision.
///
/// What a message leads to holds at the moment that gives it its number: the branch's tip, the stream's head and where its
/// recipients are, are looked at in that transaction. A run that was overtaken while it packed begins anew from the tip.
struct BranchSending {
  /// Each attempt that fails is another run's success.
  private static let attemptCountMax = 200
  /// From then on a step towards the tip is as good as the tip, and a recipient that has moved is healed afterwards: a
  /// branch that moves faster than it is packed arrives all the same.
  private static let strictAttemptCount = 3

  let sending: Sending
  let stream: Stream
  let start: Start
  /// `nil`: the branch's tip.
  let asked: ObjectID?
  private var prepared: [Base: PreparedPatch] = [:]
  private var sent: [SentPatch] = []
  private var submodules: Set<TreePath> = []
  private var attemptCount = 0

  enum Start {
    /// `old`: for recipients of which nothing is known, when nothing was sent before.
    case whereRecipientsAre(old: ObjectID?)
    /// All recipients from here, whatever they say.
    case base(Base)
    /// All of it, in the place of what each recipient says that it has.
    case snapshot

    var isGiven: Bool { if case .whereRecipientsAre = self { false } else { true } }
    var replaces: Bool { if case .snapshot = self { true } else { false } }
  }

  init(_ sending: Sending, _ stream: Stream, from start: Start, to asked: ObjectID?) {
    (self.sending, self.stream, self.start, self.asked) = (sending, stream, start, asked)
  }

  private var outbox: Outbox { sending.outbox }
  private var repository: Repository { stream.repository }
  private var isStrict: Bool { attemptCount <= Self.strictAttemptCount }

  mutating func run() throws -> SendOutcome {
    while true {
      attemptCount += 1
      do {
        return try attempt()
      } catch SignerError.streamMoved(let name) {
        guard attemptCount < Self.attemptCountMax else { throw SignerError.streamMoved(name) }
      }
    }
  }

  private mutating func attempt() throws -> SendOutcome {
    var head = try outbox.head(of: stream.name)
    let target = try target(behind: head)
    if let other = prepared.first?.value, other.patch.after != target { prepared = [:] }
    var isEmpty = false
    for group in try groups(to: target, behind: head) {
      do {
        head = try send(group, to: target, behind: head)
      } catch let error as SignerError where error.isEmptyPatch {
        isEmpty = true
      }
    }
    try outbox.follow([(stream.name, stream.configured.sameTree == .follow)])
    var finding = SendOutcome.Finding.sent
    if sent.isEmpty {
      finding = start.isGiven ? .noChange : try lead(to: target, from: head)
      // A recipient that never answered may lack something.
      if isEmpty && finding == .upToDate { finding = .noChange }
    }
    return SendOutcome(
      stream: stream.name, target: target, sent: sent, finding: finding,
      replaces: start.replaces, submodules: submodules)
  }

  private func groups(
    to target: Snapshot, behind head: StreamHead?
  ) throws -> [StartingPoints.Group] {
    switch start {
    case .whereRecipientsAre(let old):
      return try StartingPoints(stream: stream, outbox: outbox)
        .groups(to: target, behind: head, old: old)
    case .base(let base):
      let done = Set(sent.flatMap(\.recipients))
      return StartingPoints.split(
        stream.configured.recipients.filter { !done.contains($0.mailbox) }, from: base)
    case .snapshot:
      let done = Set(sent.flatMap(\.recipients))
      return try StartingPoints(stream: stream, outbox: outbox)
        .replacements(for: stream.configured.recipients.filter { !done.contains($0.mailbox) })
    }
  }

  // MARK: - What a message leads to

  private func target(behind head: StreamHead?) throws -> Snapshot {
    let tip = try repository.referenceTarget(stream.branch.fullName)
    guard let revision = asked ?? tip else {
      throw SignerError.missingReference(stream.branch, repository: stream.configured.path)
    }
    if let head, revision != tip, try isBehind(revision, head.revision) {
      throw attemptCount == 1
        ? SignerError.goingBack(stream.branch, to: revision, from: head.revision)
        : SignerError.overtaken(stream.branch, by: head.revision)
    }
    return Snapshot(revision: revision, tree: try repository.objects.commit(revision).tree)
  }

  private func isBehind(_ revision: ObjectID, _ head: ObjectID) throws -> Bool {
    guard revision != head, repository.objects.contains(head) else { return false }
    return try repository.isAncestor(revision, of: head)
  }

  /// Only the tip itself may take a stream back; everything else must lead on from its head.
  private func isWanted(_ target: ObjectID, behind head: StreamHead?) throws -> Bool {
    let tip = try repository.referenceTarget(stream.branch.fullName)
    if target == tip { return true }
    if let asked { return try head.map { try !isBehind(asked, $0.revision) } ?? true }
    guard !isStrict, let tip, try repository.isAncestor(target, of: tip) else { return false }
    guard let head else { return true }
    guard repository.objects.contains(head.revision) else { return false }
    return try repository.isAncestor(head.revision, of: target)
  }

  private func requirement(
    _ head: StreamHead?, to target: Snapshot, for recipients: [Mailbox]
  ) throws -> HeadRequirement {
    let (outbox, name) = (outbox, stream.name)
    let positions =
      isStrict ? try outbox.reading { try outbox.positions(of: recipients, on: name, in: $0) } : nil
    return HeadRequirement(stream: name, head: head) { [self] database in
      guard try isWanted(target.revision, behind: head) else { return false }
      return try positions == nil
        || positions == outbox.positions(of: recipients, on: name, in: database)
    }
  }

  // MARK: - Messages

  private mutating func send(
    _ group: StartingPoints.Group, to target: Snapshot, behind head: StreamHead?
  ) throws -> StreamHead {
    let requirement = try requirement(head, to: target, for: group.recipients.map(\.mailbox))
    let patch = try prepare(group.base, to: target)
    let (sentPatch, newHead) = try sending.seal(
      patch, for: group.recipients, on: stream, behind: head, requiring: requirement,
      movesHead: true)
    sent.append(sentPatch)
    submodules.formUnion(patch.patch.pinnedSubmodules)
    return newHead
  }

  private mutating func prepare(_ base: Base, to target: Snapshot) throws -> PreparedPatch {
    if let patch = prepared[base] { return patch }
    let patch = try sending.prepare(base, to: target.revision, on: stream)
    prepared[base] = patch
    return patch
  }

  /// No recipient lacks anything. A branch that was taken back to what all have leads there from now on, or they would be
  /// brought to what it was taken back from.
  private func lead(to target: Snapshot, from head: StreamHead?) throws -> SendOutcome.Finding {
    guard let head else { return .noChange }
    let recipients = stream.configured.recipients.map(\.mailbox)
    let isChange = head.tree != target.tree
    if head.revision != target.revision {
      try outbox.lead(try requirement(head, to: target, for: recipients), to: target)
    }
    let isUnderway = try outbox.recipients(of: stream.name).contains { recipient in
      recipient.expected != nil && recipients.contains(recipient.mailbox)
    }
    if isUnderway { return .underway }
    return isChange || head.revision == target.revision ? .upToDate : .noChange
  }
}
