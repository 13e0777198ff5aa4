import Git
import GitModel
package import MessageFormat

/// The way of a branch update into the outbox: diff, enclose, seal, store.
package struct Sending {
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

  /// Brings a branch from one revision to another; `nil` for `from`: from the last one that was sent, or from nothing.
  package func send(
    _ branch: BranchName, of configured: SignerRepository, from: String?, to: String?
  ) throws -> Sent {
    let repository = try open(configured)
    let head = try outbox.head(of: configured.remote, branch)
    let before = try from.map { try repository.resolve($0) } ?? head?.revision
    let after: ObjectID
    if let to {
      after = try repository.resolve(to)
    } else if let tip = try repository.referenceTarget(branch.fullName) {
      after = tip
    } else {
      throw SignerError.missingReference(branch, repository: configured.path)
    }
    return try send(
      BranchUpdate(remote: configured.remote, branch: branch, before: before, after: after),
      of: configured, in: repository, behind: head)
  }

  /// A push that git told us of; `before` as git says, zeros for a new branch.
  package func send(
    _ push: Push, on branch: BranchName, of configured: SignerRepository
  ) throws -> Sent {
    let repository = try open(configured)
    return try send(
      BranchUpdate(
        remote: configured.remote, branch: branch,
        before: push.before.isZero ? nil : push.before, after: push.after),
      of: configured, in: repository, behind: try outbox.head(of: configured.remote, branch))
  }

  private func send(
    _ update: BranchUpdate, of configured: SignerRepository, in repository: Repository,
    behind head: Outbox.StreamHead?
  ) throws -> Sent {
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
