import BrokerCarrier
package import CarrierProtocol
package import Host
package import IronMQ
package import Logging
package import Sodium

/// What a configuration says under `ironmq:`.
package struct IronMQPlan: CarrierPlan, Equatable {
  /// What the project's plan takes as one request, the whole of it.
  package enum RequestSize: Int, Sendable {
    case small = 65_536
    case large = 262_144
  }

  package let address: IronMQAddress
  /// Read anew for each connection, and when the token is refused.
  package let tokenFile: SecretFile
  /// Certificates of authorities in PEM form; `nil`: the system's.
  package let authorities: String?
  package let requestSize: RequestSize

  package init(
    _ address: IronMQAddress, tokenFile: String, authorities: String? = nil,
    requestSize: RequestSize = .small
  ) {
    (self.address, self.authorities, self.requestSize) = (address, authorities, requestSize)
    self.tokenFile = SecretFile(tokenFile)
  }

  package var place: String { address.base.text }
  package var server: PublicIdentity? { nil }
  package var isListening: Bool { false }

  package func carrier(
    for identity: Identity, peers: [PublicIdentity], timeouts: ExchangeTimeouts, log: Logger
  ) throws -> any Carrier {
    BrokerCarrier(IronMQBroker(self), timeouts: timeouts)
  }

  package func client() throws -> IronMQClient {
    try IronMQClient(address, tokenFile: tokenFile, authorities: authorities)
  }
}
