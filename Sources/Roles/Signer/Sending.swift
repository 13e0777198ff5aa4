import Git
import GitModel
package import MessageFormat
import Sodium

/// The way of a branch update into the outbox: diff, enclose, seal, store; a message for each group of recipients that
/// start from the same revision.
package struct Sending {
  private static let attemptCountMax = 5

  let settings: SignerSettings
  let outbox: Outbox
  private let progress: SendProgress
  let now: () -> Timestamp

  package init(
    _ settings: SignerSettings, outbox: Outbox, progress: SendProgress,
    now: @escaping () -> Timestamp
  ) {
    self.settings = settings
    self.outbox = outbox
    self.progress = progress
    self.now = now
  }

  /// What was stored in the outbox.
  package struct Sent: Sendable {
    package let id: MessageID
    package let update: BranchUpdate
    package let recipients: [Mailbox]
  }

  /// Where a branch update starts.
  package enum Start: Sendable {
    /// What each recipient is known to have, or else what was sent last, or else nothing.
    case whereRecipientsAre
    case revision(String)
    /// A snapshot, for machines that have no checkout yet.
    case nothing
  }

  /// Brings a branch to a revision, its tip unless given; no message where every recipient has it, or gets it by one that
  /// is on its way.
  package func send(
    _ branch: BranchName, of configured: SignerRepository, from start: Start, to: String?
  ) throws -> [Sent] {
    let repository = try open(configured)
    let after: ObjectID
    if let to {
      after = try repository.resolve(to)
    } else if let tip = try repository.referenceTarget(branch.fullName) {
      after = tip
    } else {
      throw SignerError.missingReference(branch, repository: configured.path)
    }
    let stream = Stream(configured: configured, branch: branch, repository: repository)
    switch start {
    case .whereRecipientsAre: return try push(to: after, on: stream, old: nil)
    case .revision(let revision):
      return try sendAll(.sent(try repository.resolve(revision)), to: after, on: stream)
    case .nothing: return try sendAll(.nothing, to: after, on: stream)
    }
  }

  /// A push that git told us of; its old revision counts only where nothing was sent before.
  package func send(
    _ push: Push, on branch: BranchName, of configured: SignerRepository
  ) throws -> [Sent] {
    let repository = try open(configured)
    let stream = Stream(configured: configured, branch: branch, repository: repository)
    let head = try outbox.head(of: configured.stream(branch))
    try requireNewest(push, on: branch, in: repository, behind: head)
    return try self.push(to: push.after, on: stream, old: push.before.isZero ? nil : push.before)
  }

  /// Hooks of two pushes may run in the other order: the older one must not take the appliers back.
  private func requireNewest(
    _ push: Push, on branch: BranchName, in repository: Repository, behind head: Outbox.StreamHead?
  ) throws {
    guard let sent = head?.revision,
      try repository.referenceTarget(branch.fullName) != push.after,
      repository.objects.contains(sent),
      try repository.isAncestor(push.after, of: sent)
    else { return }
    throw SignerError.overtaken(branch, by: sent)
  }

  // MARK: - Groups

  private func sendAll(_ base: Base, to after: ObjectID, on stream: Stream) throws -> [Sent] {
    let recipients = stream.configured.recipients
    try outbox.forgetHealing(
      of: recipients.map(\.mailbox), on: stream.name)
    return [try send(base, to: after, on: stream, for: recipients)]
  }

  /// To each group from where it is. One for which nothing would change gets nothing.
  private func push(to after: ObjectID, on stream: Stream, old: ObjectID?) throws -> [Sent] {
    let groups = try StartingPoints(stream: stream, outbox: outbox).groups(to: after, old: old)
    var sent: [Sent] = []
    var empty: SignerError?
    for group in groups {
      do {
        sent.append(try send(group.base, to: after, on: stream, for: group.recipients))
      } catch let error as SignerError where error.isEmptyPatch {
        empty = error
      }
    }
    guard !sent.isEmpty else {
      try lead(stream, to: after, without: empty)
      return []
    }
    try outbox.forgetHealing(
      of: sent.flatMap(\.recipients), on: stream.name)
    return sent
  }

  /// Nobody lacks anything. A branch that was taken back to what all have leads there from now on, or they would be brought
  /// to what it was taken back from; a commit that changes nothing is an error.
  private func lead(
    _ stream: Stream, to after: ObjectID, without empty: SignerError?
  ) throws {
    let objects = stream.repository.objects
    guard let head = try outbox.head(of: stream.name) else {
      throw empty ?? SignerError.emptyPatch(before: after, after: after)
    }
    guard head.revision != after else { return }
    if let empty, objects.contains(head.revision),
      try objects.commit(head.revision).tree == objects.commit(after).tree
    {
      throw empty
    }
    try outbox.lead(stream.name, from: head, to: after)
  }

  /// Again while other runs send on the same stream at the same moment.
  func send(
    _ base: Base, to after: ObjectID, on stream: Stream, for recipients: [PublicIdentity]
  ) throws -> Sent {
    for _ in 1..<Self.attemptCountMax {
      do {
        return try sendOnce(base, to: after, on: stream, for: recipients)
      } catch SignerError.streamMoved {
        continue
      }
    }
    return try sendOnce(base, to: after, on: stream, for: recipients)
  }

  private func sendOnce(
    _ base: Base, to after: ObjectID, on stream: Stream, for recipients: [PublicIdentity]
  ) throws -> Sent {
    let configured = stream.configured
    let head = try outbox.head(of: stream.name)
    let update = BranchUpdate(
      stream: stream.name, before: base.revision, after: after)
    let patch = try Diff(repository: stream.repository, history: configured.history)
      .patch(for: update, from: base)
    let enclosed = try Enclose(
      identity: settings.identity, objects: stream.repository.objects,
      spoolDirectory: outbox.store.state.spool.path,
      lifetimeMilliseconds: settings.lifetimeMilliseconds, progress: progress
    ).enclose(patch, for: recipients, behind: head, at: now())
    let id = try Seal(identity: settings.identity, outbox: outbox, progress: progress)
      .seal(enclosed, for: recipients)
    return Sent(id: id, update: update, recipients: recipients.map(\.mailbox))
  }

  func open(_ configured: SignerRepository) throws -> Repository {
    let repository = try Repository(opening: configured.path)
    guard try !repository.isShallow else {
      throw SignerError.unsupported(
        path: configured.path,
        reason: "is a shallow clone: what lies behind its boundary cannot be sent")
    }
    return repository
  }
}

/// A branch of a configured repository, open.
struct Stream {
  let configured: SignerRepository
  let branch: BranchName
  let repository: Repository

  var name: StreamName { configured.stream(branch) }
}
