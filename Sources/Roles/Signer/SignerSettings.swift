package import CarrierProtocol
package import Git
package import MessageFormat
package import Sodium

/// What a signer's configuration says, read and checked: keys loaded, paths absolute.
package struct SignerSettings: Sendable {
  package let identity: Identity
  /// The directory of the outbox, the streams and the receipts.
  package let state: String
  package let carriers: [any CarrierPlan]
  package let repositories: [SignerRepository]
  /// How long a message may wait on its way before appliers refuse it.
  package let lifetimeMilliseconds: UInt64
  /// How often a daemon says on every stream that it is alive; 0: never.
  package let heartbeatSeconds: UInt64

  package init(
    identity: Identity, state: String, carriers: [any CarrierPlan],
    repositories: [SignerRepository],
    lifetimeMilliseconds: UInt64, heartbeatSeconds: UInt64 = 60
  ) {
    self.identity = identity
    self.state = state
    self.carriers = carriers
    self.repositories = repositories
    self.lifetimeMilliseconds = lifetimeMilliseconds
    self.heartbeatSeconds = heartbeatSeconds
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

  package let path: String
  package let remote: RemoteName
  package let branches: [BranchName]
  package let recipients: [PublicIdentity]
  package let history: History
  /// How much a message may bring: of a snapshot, all.
  package let limits: TreeLimits

  package init(
    path: String, remote: RemoteName, branches: [BranchName], recipients: [PublicIdentity],
    history: History, limits: TreeLimits = TreeLimits()
  ) {
    self.path = path
    self.remote = remote
    self.branches = branches
    self.recipients = recipients
    self.history = history
    self.limits = limits
  }

  package func stream(_ branch: BranchName) -> StreamName {
    StreamName(remote: remote, branch: branch)
  }

  /// Whether this is where a stream comes from.
  package func sends(_ stream: StreamName) -> Bool {
    remote == stream.remote && branches.contains(stream.branch)
  }
}
