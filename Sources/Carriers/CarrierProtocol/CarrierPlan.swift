package import Logging
package import MessageFormat
import Sealing
package import Sodium

/// A carrier as a configuration names it, and how one is made of that. One conformance for each transport.
package protocol CarrierPlan: Sendable {
  /// The name by which people know it: an address, mostly.
  var place: String { get }
  /// Who answers there: a recipient leads to itself alone, anybody else to all others. `nil`: nobody with an identity
  /// of ours does, as at a broker.
  var server: PublicIdentity? { get }
  /// Whether others connect to it; otherwise it connects.
  var isListening: Bool { get }
  /// `peers`: whom it is to let in, where it is what others connect to. Throws what trying again cannot mend, as a port
  /// that is taken.
  func carrier(
    for identity: Identity, peers: [PublicIdentity], timeouts: ExchangeTimeouts,
    log: Logger
  ) throws -> any Carrier
}

extension Collection where Element == any CarrierPlan {
  /// The mailboxes whose messages each of these carriers takes.
  package func reach(of recipients: Set<Mailbox>) -> [(plan: any CarrierPlan, Set<Mailbox>)] {
    let servers = Set(compactMap { $0.server?.mailbox })
    return map { plan in
      if let server = plan.server?.mailbox, recipients.contains(server) { return (plan, [server]) }
      return (plan, recipients.subtracting(servers))
    }
  }
}
