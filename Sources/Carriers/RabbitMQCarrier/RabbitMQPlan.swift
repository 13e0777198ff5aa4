import BrokerCarrier
package import CarrierProtocol
package import Host
package import Logging
package import RabbitMQ
package import Sodium

/// What a configuration says under `rabbitmq:`.
package struct RabbitMQPlan: CarrierPlan, Equatable {
  package let place: String
  package let address: RabbitMQAddress
  /// Read anew for each connection.
  package let passwordFile: SecretFile
  /// Certificates of authorities in PEM form; `nil`: the system's.
  package let authorities: String?

  package init(
    _ url: String, passwordFile: String, authorities: String?
  ) throws(RabbitMQAddress.Fault) {
    (place, address) = (url, try RabbitMQAddress(url))
    (self.passwordFile, self.authorities) = (SecretFile(passwordFile), authorities)
  }

  package var server: PublicIdentity? { nil }
  package var isListening: Bool { false }

  package func carrier(
    for identity: Identity, peers: [PublicIdentity], timeouts: ExchangeTimeouts, log: Logger
  ) throws -> any Carrier {
    BrokerCarrier(try RabbitMQBroker(self), timeouts: timeouts)
  }
}
