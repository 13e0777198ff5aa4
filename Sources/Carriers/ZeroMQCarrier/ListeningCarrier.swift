package import CarrierProtocol
package import Logging
package import Sodium

/// A carrier that others connect to: an applier's own listener, whose mailboxes are its inbox and its receipts.
package final class ListeningCarrier: Carrier {
  private let listener: ZeroMQListener

  /// Listens when it returns, to `peers` alone.
  package init(
    on endpoint: String, as identity: Identity, peers: [PublicIdentity], log: Logger
  ) throws {
    listener = try ZeroMQListener(
      at: [CarrierDoor(endpoint: endpoint, peers: peers)], as: identity, log: log)
  }

  package var place: String { listener.endpoints[0] }

  package func run(_ port: CarrierPort) throws {
    let access = CarrierAccess(
      depositors: [port.mailbox: port.correspondents], byteCountMax: port.byteCountMax)
    let server = MailboxServer(
      store: port.store, access: access, quotas: .standard, now: port.now)
    try listener.run(server, arrived: port.arrived)
  }

  package func outgoingChanged() { listener.mailboxesChanged() }

  package func stop() { listener.stop() }

  package var delay: Duration { listener.delay }
}
