import BrokerCarrier
package import CarrierProtocol
package import Host
package import Logging
package import STOMP
package import Sodium

/// What a configuration says under `activemq:`.
package struct ActiveMQPlan: CarrierPlan, Equatable {
  /// As whom we log in; read anew for each connection.
  package struct User: Sendable, Equatable {
    package let name: String
    package let passwordFile: SecretFile

    package init(_ name: String, passwordFile: String) {
      (self.name, self.passwordFile) = (name, SecretFile(passwordFile))
    }
  }

  package let place: String
  package let address: STOMPAddress
  /// `nil`: the broker asks nobody.
  package let user: User?
  /// Certificates of authorities in PEM form; `nil`: the system's.
  package let authorities: String?

  package init(_ url: String, as user: User?, authorities: String?) throws(STOMPAddress.Fault) {
    (place, address) = (url, try STOMPAddress(url))
    (self.user, self.authorities) = (user, authorities)
  }

  package var server: PublicIdentity? { nil }
  package var isListening: Bool { false }

  package func carrier(
    for identity: Identity, peers: [PublicIdentity], timeouts: ExchangeTimeouts, log: Logger
  ) throws -> any Carrier {
    BrokerCarrier(ActiveMQBroker(self), timeouts: timeouts)
  }
}
