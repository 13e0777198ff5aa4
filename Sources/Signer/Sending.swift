import Git
import GitModel
package import MessageFormat

/// The way of a branch update into the outbox: diff, enclose, seal, store.
package struct Sending {
  private static let attemptCountMax = 5

  private let settings: SignerSettings
  private let outbox: Outbox
  private let progress: SendProgress
  private let now: () -> Timestamp

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
  }

  /// Where a branch update starts.
  package enum Start: Sendable {
    /// What all recipients are known to have, or else what was sent last, or else nothing.
    case whereRecipientsAre
    case revision(String)
    /// A snapshot, for machines that have no checkout yet.
    case nothing
  }

  /// Brings a branch to a revision, its tip unless given.
  package func send(
    _ branch: BranchName, of configured: SignerRepository, from start: Start, to: String?
  ) throws -> Sent {
    let repository = try open(configured)
    let after: ObjectID
    if let to {
      after = try repository.resolve(to)
    } else if let tip = try repository.referenceTarget(branch.fullName) {
      after = tip
    } else {
      throw SignerError.missingReference(branch, repository: configured.path)
    }
    return try retrying {
      let head = try outbox.head(of: configured.remote, branch)
      let before: ObjectID? =
        switch start {
        case .whereRecipientsAre: try base(of: branch, configured, in: repository, behind: head)
        case .revision(let revision): try repository.resolve(revision)
        case .nothing: nil
        }
      return try send(before, after, branch, configured, repository, behind: head)
    }
  }

  /// A push that git told us of; its old revision counts only where nothing was sent before.
  package func send(
    _ push: Push, on branch: BranchName, of configured: SignerRepository
  ) throws -> Sent {
    let repository = try open(configured)
    let old = push.before.isZero ? nil : push.before
    return try retrying {
      let head = try outbox.head(of: configured.remote, branch)
      try requireNewest(push, on: branch, in: repository, behind: head)
      let before = try base(of: branch, configured, in: repository, behind: head)
      return try send(before ?? old, push.after, branch, configured, repository, behind: head)
    }
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

  /// A revision that the repository has lost, after a forced push and a clean-up, is none to start from.
  private func base(
    of branch: BranchName, _ configured: SignerRepository, in repository: Repository,
    behind head: Outbox.StreamHead?
  ) throws -> ObjectID? {
    let recipients = Set(configured.recipients.map(\.mailbox))
    let agreed = try outbox.agreedRevision(of: configured.remote, branch, among: recipients)
    return [agreed, head?.revision].compactMap { $0 }.first { repository.objects.contains($0) }
  }

  /// Again while other runs send on the same stream at the same moment.
  private func retrying(_ body: () throws -> Sent) throws -> Sent {
    for _ in 1..<Self.attemptCountMax {
      do {
        return try body()
      } catch SignerError.streamMoved {
        continue
      }
    }
    return try body()
  }

  private func send(
    _ before: ObjectID?, _ after: ObjectID, _ branch: BranchName, _ configured: SignerRepository,
    _ repository: Repository, behind head: Outbox.StreamHead?
  ) throws -> Sent {
    let update = BranchUpdate(
      remote: configured.remote, branch: branch, before: before, after: after)
    let patch = try Diff(repository: repository, history: configured.history).patch(for: update)
    let enclosed = try Enclose(
      identity: settings.identity, objects: repository.objects,
      spoolDirectory: outbox.store.state.spool.path,
      lifetimeMilliseconds: settings.lifetimeMilliseconds, progress: progress
    ).enclose(patch, for: configured.recipients, behind: head, at: now())
    let id = try Seal(identity: settings.identity, outbox: outbox, progress: progress)
      .seal(enclosed, for: configured.recipients)
    return Sent(id: id, update: update)
  }

  private func open(_ configured: SignerRepository) throws -> Repository {
    let repository = try Repository(opening: configured.path)
    guard try !repository.isShallow else {
      throw SignerError.unsupported(
        path: configured.path,
        reason: "is a shallow clone: what lies behind its boundary cannot be sent")
    }
    return repository
  }
}
