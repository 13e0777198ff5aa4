import BrokerCarrier
package import CarrierProtocol
package import Host
package import Logging
package import NATS
package import Sodium

/// What a configuration says under `nats:`.
package struct NATSPlan: CarrierPlan, Equatable {
  /// Read anew for each connection.
  package enum Login: Sendable, Equatable {
    case none
    case credentials(SecretFile)
    case user(String, passwordFile: SecretFile)
  }

  package static let replicas = 1...5

  package let addresses: [NATSAddress]
  package let login: Login
  /// Certificates of authorities in PEM form, besides the system's.
  package let authorities: String?
  /// Of a stream that we make.
  package let replicas: Int

  package enum Fault: String, Error, Sendable {
    case noLogin =
      "needs 'credentials-file:', or 'user:' and 'password-file:': only servers on this machine go without"
  }

  /// `addresses`: at least one.
  package init(
    _ addresses: [NATSAddress], _ login: Login, authorities: String?, replicas: Int
  ) throws(Fault) {
    precondition(!addresses.isEmpty && Self.replicas.contains(replicas))
    guard login != .none || addresses.allSatisfy(\.isHere) else { throw .noLogin }
    (self.addresses, self.login) = (addresses, login)
    (self.authorities, self.replicas) = (authorities, replicas)
  }

  package var place: String { addresses.map(\.description).joined(separator: ",") }
  package var server: PublicIdentity? { nil }
  package var isListening: Bool { false }

  package func carrier(
    for identity: Identity, peers: [PublicIdentity], timeouts: ExchangeTimeouts, log: Logger
  ) throws -> any Carrier {
    BrokerCarrier(try NATSBroker(self), timeouts: timeouts)
  }
}
