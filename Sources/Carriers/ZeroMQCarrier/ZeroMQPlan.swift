package import CarrierProtocol
package import Logging
package import Sodium
package import ZeroMQ

/// What a configuration says under `zeromq:`.
package struct ZeroMQPlan: CarrierPlan, Equatable {
  package enum Way: Equatable, Sendable {
    /// To a relay, or to an applier that listens; its identity must answer.
    case connect(to: PublicIdentity)
    /// Those on our list connect to us.
    case listen
  }

  package let place: String
  package let way: Way

  /// Throws where the address is none that a secured socket takes.
  package init(connectingTo place: String, of server: PublicIdentity) throws(ZeroMQError) {
    try Endpoint.check(place, for: .connect)
    (self.place, way) = (place, .connect(to: server))
  }

  package init(listeningOn place: String) throws(ZeroMQError) {
    try Endpoint.check(place, for: .bind)
    (self.place, way) = (place, .listen)
  }

  package var server: PublicIdentity? { if case .connect(let server) = way { server } else { nil } }

  package var isListening: Bool { way == .listen }

  package func carrier(
    for identity: Identity, peers: [PublicIdentity], timeouts: ExchangeTimeouts, log: Logger
  ) throws -> any Carrier {
    switch way {
    case .connect(let server):
      try ZeroMQExchange(to: place, of: server, as: identity, timeouts: timeouts)
    case .listen: try ListeningCarrier(on: place, as: identity, peers: peers, log: log)
    }
  }
}
