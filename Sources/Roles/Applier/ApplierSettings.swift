package import Git
package import MessageFormat
package import Sodium

/// What an applier's configuration says, read and checked: keys loaded, paths absolute.
package struct ApplierSettings: Sendable {
  package let identity: Identity
  /// The directory of the inbox, the journal and the receipts.
  package let state: String
  /// Never empty: only their messages are opened.
  package let trustedSigners: [PublicIdentity]
  package let checkouts: [CheckoutSettings]
  /// How long one message may take before the program gives up on it and restarts.
  package let deadline: Duration
  /// A file for Prometheus' textfile collector, if any.
  package let metrics: String?

  package init(
    identity: Identity, state: String, trustedSigners: [PublicIdentity],
    checkouts: [CheckoutSettings], deadline: Duration, metrics: String? = nil
  ) {
    precondition(!trustedSigners.isEmpty, "an applier without signers applies nothing")
    self.identity = identity
    self.state = state
    self.trustedSigners = trustedSigners
    self.checkouts = checkouts
    self.deadline = deadline
    self.metrics = metrics
  }
}

/// A working copy that is kept at the newest revision of one stream, and what it takes.
package struct CheckoutSettings: Hashable, Sendable {
  package enum LocalChanges: String, Sendable, CaseIterable { case refuse, overwrite }
  package enum GoingBack: String, Sendable, CaseIterable { case refuse, apply }
  package enum UnusualPaths: String, Sendable, CaseIterable { case refuse, allow }
  /// `inside`: only targets that stay inside the checkout.
  package enum SymbolicLinks: String, Sendable, CaseIterable { case refuse, inside, any }

  package let stream: StreamName
  package let path: String
  package let onLocalChanges: LocalChanges
  /// `refuse`: only revisions that descend from the checkout's, by what the signer says of the history.
  package let onGoingBack: GoingBack
  package let unusualPaths: UnusualPaths
  package let symbolicLinks: SymbolicLinks
  /// Those of the trusted signers that may change this checkout.
  package let signers: Set<Mailbox>
  /// How long it may be without any heartbeat, from when it was first watched; `nil`: for ever, for signers that send
  /// none.
  package let staleAfterSeconds: UInt64?
  /// How much the checkout may hold.
  package let limits: TreeLimits
  /// The command that git is given as its filter for large files; `nil`: none.
  package let largeFileFilter: String?
  package let commands: CheckoutCommands
  package let layout: CheckoutLayout
  package let policy: CheckoutPolicy

  package init(
    stream: StreamName, path: String, onLocalChanges: LocalChanges,
    onGoingBack: GoingBack = .apply, unusualPaths: UnusualPaths, symbolicLinks: SymbolicLinks,
    signers: Set<Mailbox>, staleAfterSeconds: UInt64?, limits: TreeLimits = TreeLimits(),
    largeFileFilter: String? = nil, commands: CheckoutCommands = .none,
    layout: CheckoutLayout = .inPlace, policy: CheckoutPolicy = .everything
  ) {
    self.stream = stream
    self.path = path
    self.onLocalChanges = onLocalChanges
    self.onGoingBack = onGoingBack
    self.unusualPaths = unusualPaths
    self.symbolicLinks = symbolicLinks
    self.signers = signers
    self.staleAfterSeconds = staleAfterSeconds
    self.limits = limits
    self.largeFileFilter = largeFileFilter
    self.commands = commands
    self.layout = layout
    self.policy = policy
  }
}
