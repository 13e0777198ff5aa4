package import CarrierProtocol
package import Git
package import MessageFormat
package import Sodium

/// What a signer's configuration says, read and checked: keys loaded, paths absolute.
package struct SignerSettings: Sendable {
  package let identity: Identity
  /// The directory of the outbox, the streams and the receipts.
  package let state: String
  /// In their order: a message goes by the first that takes it.
  package let carriers: [any CarrierPlan]
  /// How long it waits for one before the next takes it.
  package let failover: Duration
  package let repositories: [SignerRepository]
  /// How long a message may wait on its way before appliers refuse it.
  package let lifetimeMilliseconds: UInt64
  /// How often a daemon says on every stream that it is alive; 0: never.
  package let heartbeatSeconds: UInt64
  /// Recipients whose `.pub` files cannot be used: nothing is sent to them, and everything to the others.
  package let recipientFaults: [SodiumError]
  package let socket: SignerSocket

  package init(
    identity: Identity, state: String, carriers: [any CarrierPlan],
    failover: Duration = .seconds(60),
    repositories: [SignerRepository],
    lifetimeMilliseconds: UInt64, heartbeatSeconds: UInt64 = 60,
    recipientFaults: [SodiumError] = [], socket: SignerSocket? = nil
  ) {
    self.identity = identity
    self.state = state
    (self.carriers, self.failover) = (carriers, failover)
    self.repositories = repositories
    self.lifetimeMilliseconds = lifetimeMilliseconds
    self.heartbeatSeconds = heartbeatSeconds
    self.recipientFaults = recipientFaults
    self.socket = socket ?? SignerSocket(inState: state)
  }
}

/// A repository whose branches are sent.
package struct SignerRepository: Sendable {
  /// How much of what lies between two revisions travels.
  package enum History: String, Sendable, CaseIterable {
    /// One patch and the commit of the new revision.
    case tip
    /// Every commit between.
    case full
  }

  /// What arrives of files of Git LFS.
  package enum LargeFiles: String, Sendable, CaseIterable {
    case pointers
    /// Their contents, in the place of the pointers.
    case ship
  }

  /// What arrives of submodules.
  package enum Submodules: String, Sendable, CaseIterable {
    /// The ids of their commits.
    case pin
    /// Their files as well.
    case ship
  }

  /// What becomes of a commit that has the files of what a recipient has.
  package enum SameTree: String, Sendable, CaseIterable {
    /// Nothing is sent: the recipient is up to date.
    case skip
    /// The recipient's revision moves.
    case follow
  }

  package let source: RepositorySource
  package let remote: RemoteName
  package let branches: BranchPatterns
  package let recipients: [PublicIdentity]
  package let history: History
  /// How much a message may bring: of a snapshot, all.
  package let limits: TreeLimits
  package let largeFiles: LargeFiles
  package let submodules: Submodules
  package let sameTree: SameTree
  /// How often a daemon looks by itself whether a branch has moved; `nil`: never.
  package let pollSeconds: UInt64?

  package init(
    source: RepositorySource, remote: RemoteName, branches: BranchPatterns,
    recipients: [PublicIdentity], history: History, limits: TreeLimits = TreeLimits(),
    largeFiles: LargeFiles = .pointers, submodules: Submodules = .pin,
    sameTree: SameTree = .skip, pollSeconds: UInt64? = nil
  ) {
    self.source = source
    self.remote = remote
    self.branches = branches
    self.recipients = recipients
    self.history = history
    self.limits = limits
    self.largeFiles = largeFiles
    self.submodules = submodules
    self.sameTree = sameTree
    self.pollSeconds = pollSeconds
  }

  package init(
    path: String, remote: RemoteName, branches: [BranchName], recipients: [PublicIdentity],
    history: History, limits: TreeLimits = TreeLimits(), largeFiles: LargeFiles = .pointers,
    submodules: Submodules = .pin, sameTree: SameTree = .skip
  ) {
    self.init(
      source: .local(path: path), remote: remote, branches: BranchPatterns(branches),
      recipients: recipients, history: history, limits: limits, largeFiles: largeFiles,
      submodules: submodules, sameTree: sameTree)
  }

  /// Of the repository that is read.
  package var path: String { source.path }

  package func stream(_ branch: BranchName) -> StreamName {
    StreamName(remote: remote, branch: branch)
  }

  /// Whether this may be where a stream comes from; of several, the first one is.
  package func sends(_ stream: StreamName) -> Bool {
    remote == stream.remote && branches.contains(stream.branch)
  }
}

extension [SignerRepository] {
  /// The entry that a stream comes from: the first one that has its branch.
  package func source(of stream: StreamName) -> SignerRepository? {
    first { $0.sends(stream) }
  }
}
