package import Git
package import MessageFormat
import Sealing
package import Sodium

/// What a signer's configuration says, read and checked: keys loaded, paths absolute.
package struct SignerSettings: Sendable {
  package let identity: Identity
  /// The directory of the outbox, the streams and the receipts.
  package let state: String
  package let carriers: [SignerCarrier]
  package let repositories: [SignerRepository]
  /// How long a message may wait on its way before appliers refuse it.
  package let lifetimeMilliseconds: UInt64
  /// How often a daemon says on every stream that it is alive; 0: never.
  package let heartbeatSeconds: UInt64

  package init(
    identity: Identity, state: String, carriers: [SignerCarrier], repositories: [SignerRepository],
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

extension SignerSettings {
  /// Whose messages a carrier takes: its server's, where that is a recipient itself; a relay, all others'.
  func mailboxes(behind carrier: SignerCarrier) -> Set<Mailbox> {
    let recipients = Set(repositories.flatMap(\.recipients).map(\.mailbox))
    let server = carrier.server.mailbox
    guard !recipients.contains(server) else { return [server] }
    return recipients.subtracting(carriers.map(\.server.mailbox))
  }
}

/// A ZeroMQ endpoint, and the identity that must answer there.
package struct SignerCarrier: Hashable, Sendable {
  package let endpoint: String
  package let server: PublicIdentity

  package init(endpoint: String, server: PublicIdentity) {
    self.endpoint = endpoint
    self.server = server
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
