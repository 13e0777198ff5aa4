import Git
import GitModel
import LargeFileFetching
import LargeFiles
package import MessageFormat
import Patching
import Sodium

/// The way of a branch update into the outbox: diff, enclose, seal, store.
package struct Sending {
  let settings: SignerSettings
  let outbox: Outbox
  private let mirrors: Mirrors
  private let progress: SendProgress
  let now: () -> Timestamp

  /// `mirrors`: shared by all that send from this process.
  package init(
    _ settings: SignerSettings, outbox: Outbox, mirrors: Mirrors = Mirrors(),
    progress: SendProgress, now: @escaping () -> Timestamp
  ) {
    self.settings = settings
    self.outbox = outbox
    self.mirrors = mirrors
    self.progress = progress
    self.now = now
  }

  /// Where a branch update starts.
  package enum Start: Sendable, Equatable {
    /// What each recipient is known to have, or else what was sent last, or else nothing.
    case whereRecipientsAre
    case revision(String)
    /// All of it, also for machines that have something.
    case nothing
  }

  /// Brings a branch to a revision, its tip unless given; no message where every recipient has its files, or gets them by
  /// one that is on its way. `requiresOnBranch`: no revision that the branch does not hold.
  package func send(
    _ branch: BranchName, of configured: SignerRepository, from start: Start = .whereRecipientsAre,
    to: String? = nil, requiresOnBranch: Bool = false
  ) throws -> SendOutcome {
    let stream = try stream(branch, of: configured)
    let asked = try to.map { revision throws(GitError) in try stream.repository.resolve(revision) }
    if requiresOnBranch, let asked { try stream.require(onBranch: asked) }
    let from: BranchSending.Start =
      switch start {
      case .whereRecipientsAre: .whereRecipientsAre(old: nil)
      case .revision(let revision): .base(.sent(try stream.repository.resolve(revision)))
      case .nothing: .snapshot
      }
    return try send(stream, from: from, to: asked)
  }

  /// A push that git told us of is a hint: the branch's tip is what is sent. Its old revision counts only where nothing
  /// was sent before.
  package func send(
    _ push: Push, on branch: BranchName, of configured: SignerRepository
  ) throws -> SendOutcome {
    try send(
      try stream(branch, of: configured),
      from: .whereRecipientsAre(old: push.before.isZero ? nil : push.before), to: nil)
  }

  /// Where the branch is now is no news to a daemon that looks for moves.
  func markSeen(_ branch: BranchName, of configured: SignerRepository) throws {
    let stream = try stream(branch, of: configured)
    guard let tip = try stream.repository.referenceTarget(branch.fullName) else { return }
    try outbox.markSeen(tip, of: stream.name)
  }

  /// The submodules that arrive without their files and of which that was never said. It counts as said from here on.
  func newSubmodules(of outcome: SendOutcome) throws(SignerError) -> [SubmoduleNotice] {
    let remote = outcome.stream.remote
    return try outbox.noteSubmodules(outcome.submodules, of: remote)
      .map { SubmoduleNotice(remote: remote, path: $0) }
  }

  private func send(
    _ stream: Stream, from start: BranchSending.Start, to asked: ObjectID?
  ) throws -> SendOutcome {
    var sending = BranchSending(self, stream, from: start, to: asked)
    let outcome = try sending.run()
    try outbox.forgetHealing(of: outcome.sent.flatMap(\.recipients), on: stream.name)
    return outcome
  }

  func prepare(_ base: Base, to after: ObjectID, on stream: Stream) throws -> PreparedPatch {
    do {
      return try prepareOnce(base, to: after, on: stream)
    } catch SignerError.largeFile(_, _, .damaged(let pointer, _))
      where stream.configured.source.isUpstream
    {
      // The upstream has it still.
      try stream.largeFiles().remove(pointer)
      return try prepareOnce(base, to: after, on: stream)
    }
  }

  private func prepareOnce(
    _ base: Base, to after: ObjectID, on stream: Stream
  ) throws -> PreparedPatch {
    let update = BranchUpdate(stream: stream.name, before: base.revision, after: after)
    let patch = try Diff(
      repository: stream.repository, history: stream.configured.history,
      limits: stream.configured.limits, largeFiles: try shippedLargeFiles(of: stream),
      submodules: stream.configured.submodules, sameTree: stream.configured.sameTree,
      source: stream.configured.source
    ).patch(for: update, from: base)
    return try enclose(stream).prepare(patch)
  }

  private func shippedLargeFiles(of stream: Stream) throws -> ShippedLargeFiles? {
    guard stream.configured.largeFiles == .ship else { return nil }
    var bring: (([LargeFilePointer], Snapshot) -> LargeFileFetch.Failures)?
    if case .upstream(let place) = stream.configured.source {
      bring = { [mirrors] pointers, revision in
        mirrors.largeFiles(of: place)
          .bring(pointers, for: revision.tree, on: stream.branch.fullName)
      }
    }
    return ShippedLargeFiles(
      repository: stream.repository, limits: stream.configured.limits,
      store: try stream.largeFiles(), bring: bring)
  }

  /// Throws `streamMoved` where the requirement is not met before, or after, the message was sealed.
  func seal(
    _ patch: PreparedPatch, for recipients: [PublicIdentity], on stream: Stream,
    behind head: StreamHead?, requiring requirement: HeadRequirement, movesHead: Bool
  ) throws -> (SentPatch, StreamHead) {
    try outbox.require(requirement)
    let enclosed = try enclose(stream).enclose(patch, for: recipients, behind: head, at: now())
    let (id, newHead) = try Seal(identity: settings.identity, outbox: outbox, progress: progress)
      .seal(enclosed, for: recipients, requiring: requirement, movesHead: movesHead)
    let sent = SentPatch(
      id: id, update: patch.patch.update, recipients: recipients.map(\.mailbox))
    return (sent, newHead)
  }

  private func enclose(_ stream: Stream) throws -> Enclose {
    try Enclose(
      identity: settings.identity, objects: stream.repository.objects,
      largeFiles: stream.largeFiles(),
      spoolDirectory: outbox.store.state.spool.path,
      lifetimeMilliseconds: settings.lifetimeMilliseconds, progress: progress)
  }

  func stream(_ branch: BranchName, of configured: SignerRepository) throws -> Stream {
    let repository = try Repository(opening: configured.path)
    guard try !repository.isShallow else {
      throw SignerError.unsupported(
        path: configured.path,
        reason: "is a shallow clone: what lies behind its boundary cannot be sent",
        hint: "run `git fetch --unshallow` there")
    }
    return Stream(configured: configured, branch: branch, repository: repository)
  }
}

/// A branch of a configured repository, open.
struct Stream {
  let configured: SignerRepository
  let branch: BranchName
  let repository: Repository

  var name: StreamName { configured.stream(branch) }

  /// A mirror's is ours, whatever the machine's configuration says.
  fileprivate func largeFiles() throws(GitError) -> LargeFileStore {
    guard case .upstream(let place) = configured.source else { return try repository.largeFiles }
    return LargeFileFetch.store(of: place)
  }

  fileprivate func require(onBranch revision: ObjectID) throws {
    guard let tip = try repository.referenceTarget(branch.fullName) else { return }
    guard try revision == tip || repository.isAncestor(revision, of: tip) else {
      throw SignerError.notOnBranch(branch, revision)
    }
  }
}
