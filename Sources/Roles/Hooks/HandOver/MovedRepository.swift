package import MessageFormat

/// What the signer is told: a hint. It fetches, and decides by what it finds.
package struct MovedRepository: Sendable, Equatable {
  package let remote: RemoteName
  /// Full names; empty: whatever has moved.
  package let refs: [String]

  package init(remote: RemoteName, refs: [String]) { (self.remote, self.refs) = (remote, refs) }
}
