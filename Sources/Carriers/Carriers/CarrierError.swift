/// Why a carrier was not reached, or did not do what it was asked.
package enum CarrierError: Error, CustomStringConvertible {
  case notReached(endpoint: String, reason: UnreachedReason)
  case noAnswer(endpoint: String)
  case unexpectedAnswer(endpoint: String, String)
  case faulty(endpoint: String, any Error)

  package enum UnreachedReason: String, Sendable {
    case nobodyListens = "nobody listens there"
    case refused = "we are not on its list of trusted identities"
    case wrongServer = "it is not the server whose key we expect, or it does not answer"
    case unknown = "there was no connection"
  }

  package var description: String { "\(endpoint): \(reason)" }

  package var endpoint: String {
    switch self {
    case .notReached(let endpoint, _), .noAnswer(let endpoint), .unexpectedAnswer(let endpoint, _),
      .faulty(let endpoint, _):
      endpoint
    }
  }

  /// The same without the endpoint.
  package var reason: String {
    switch self {
    case .notReached(_, let reason): "not reached: \(reason.rawValue)"
    case .noAnswer: "connected, but it does not answer"
    case .unexpectedAnswer(_, let what): "unexpected answer: \(what)"
    case .faulty(_, let error): "\(error)"
    }
  }
}
