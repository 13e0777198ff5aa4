package import Diagnostics

/// Why a carrier was not reached, or did not do what it was asked.
package enum CarrierError: Error, CustomStringConvertible {
  case notReached(endpoint: String, reason: UnreachedReason)
  case noAnswer(endpoint: String, within: Duration)
  /// The peer is connected, and says what the protocol does not have.
  case unexpectedAnswer(endpoint: String, String)
  case faulty(endpoint: String, any Error)

  package enum UnreachedReason: String, Sendable {
    case nobodyListens = "nothing listens there"
    case refused = "our identity is not on its list of trusted identities"
    case wrongServer = "its key is not the expected one, or it does not speak the protocol"
    case unknown = "no connection came about"
  }

  package var description: String { "\(endpoint): \(reason)" }

  package var endpoint: String {
    switch self {
    case .notReached(let endpoint, _), .noAnswer(let endpoint, _),
      .unexpectedAnswer(let endpoint, _), .faulty(let endpoint, _):
      endpoint
    }
  }

  /// The same without the endpoint.
  package var reason: String {
    switch self {
    case .notReached(_, let reason): "cannot be reached: \(reason.rawValue)"
    case .noAnswer(_, let time): "connected, but silent for \(time)"
    case .unexpectedAnswer(_, let what): "sent an invalid answer: \(what)"
    case .faulty(_, let error): "\(error)"
    }
  }
}

extension CarrierError {
  /// As the log tells of it.
  package var event: Event {
    switch self {
    case .notReached, .faulty: .carrierUnreachable
    case .noAnswer: .carrierSilent
    case .unexpectedAnswer: .carrierInvalidAnswer
    }
  }
}
