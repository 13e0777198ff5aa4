package import Sodium

/// Where a listener listens, and whom it lets in there.
package struct CarrierDoor: Sendable {
  package let endpoint: String
  package let peers: [PublicIdentity]

  package init(endpoint: String, peers: [PublicIdentity]) {
    (self.endpoint, self.peers) = (endpoint, peers)
  }
}

/// The serving end of the relay protocol's transport: lets in the identities on the list of each door, and hands what they
/// ask to a `MailboxServer`. An empty list admits no peer.
package protocol CarrierListener: AnyObject, Sendable {
  /// Where it listens, with the ports that were taken; in the order of its doors.
  var endpoints: [String] { get }
  /// How late its loop is with its next turn.
  var delay: Duration { get }

  /// Serves until `stop`, on the thread that calls; when it returns, its ports can be taken by another. Throws when it can
  /// listen no longer. `arrived` is called whenever something new is on the disk.
  func run(_ server: MailboxServer, arrived: @escaping @Sendable () -> Void) throws

  /// Something was put into a mailbox: waiting readers get it. From any thread.
  func mailboxesChanged()

  /// From now on these are let in, one list for each door, and these rules hold. An identity that is no longer on a door's list
  /// loses its connections there at once, and its unfinished deposits where it is on none. From any thread.
  func replace(peers: [[PublicIdentity]], access: CarrierAccess, quotas: DepositQuotas)

  /// Makes `run` return, also one that has not begun. From any thread.
  func stop()
}
