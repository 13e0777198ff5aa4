import CarrierProtocol
import Diagnostics
import Foundation
import MessageFormat
import Sealing
import Sodium
import ZeroMQCarrier

/// A carrier that we connect to: whether it is there, is the right one, lets us in, and would take what we send.
struct ZeroMQChecks {
  private static let timeout: Duration = .seconds(5)

  let endpoint: String
  let server: PublicIdentity
  let identity: Identity
  /// Whose mailboxes we put something into by way of this carrier.
  let readers: [PublicIdentity]

  func run(_ examination: inout Examination) {
    let subject = "\(endpoint) (\(server.name))"
    do {
      let probe = try CarrierProbe(to: endpoint, of: server, as: identity)
      try probe.reach(within: Self.timeout)
      examination.ok(.carrier, subject, "is there, has the expected key, and lets us in")
      for reader in readers { try check(reader, with: probe, &examination) }
    } catch CarrierError.notReached(let place, let reason) {
      examination.fail(
        .carrier, "\(place) (\(server.name))", "cannot be reached: \(reason.rawValue)",
        do: advice(for: reason))
    } catch let error as CarrierError {
      examination.fail(.carrier, subject, error.description, do: error.hint)
    } catch let error as any OperatorError {
      examination.fail(
        .carrier, subject, "\(error)",
        do: error.hint ?? "is the name right, and is the resolver reached?")
    } catch {
      examination.fail(.carrier, subject, error)
    }
  }

  private func advice(for reason: CarrierError.UnreachedReason) -> String {
    switch reason {
    case .nobodyListens:
      "is it running there, is the port right, and does a firewall let us through?"
    case .refused:
      "put our .pub (fingerprint \(identity.public.fingerprint.abbreviated)) on its list of trusted identities"
    case .wrongServer:
      "compare 'server:' (fingerprint \(server.fingerprint.abbreviated)) with the .pub file there"
    case .unknown: "does the name resolve, and does a firewall let us through?"
    }
  }

  private func check(
    _ reader: PublicIdentity, with probe: CarrierProbe, _ examination: inout Examination
  ) throws {
    let subject = "\(reader.name) by way of \(endpoint)"
    guard let refusal = try probe.refusal(for: reader.mailbox, within: Self.timeout) else {
      return examination.ok(.trust, subject, "would take a message from us")
    }
    examination.fail(
      .trust, subject, "\(refusal.reason.rawValue): \(refusal.detail)",
      do: advice(for: refusal.reason, reader))
  }

  private func advice(for refusal: CarrierRefusal, _ reader: PublicIdentity) -> String {
    let fingerprint = reader.fingerprint.abbreviated
    return switch refusal {
    case .unknownMailbox:
      "\(server.name) does not know \(reader.name) (fingerprint \(fingerprint)): put its .pub on the list there"
    case .notAllowed:
      "\(server.name) does not let us send to \(reader.name): look at its routes and trusted identities"
    case .overQuota:
      "a quota is used up: does \(reader.name) collect its messages? raise the quota if so"
    default: "look at the log of \(server.name)"
    }
  }
}

/// An endpoint of our own, as a stranger sees it.
struct ListenerChecks {
  private static let timeout: Duration = .seconds(5)

  let endpoint: String
  let identity: Identity

  func run(_ examination: inout Examination) {
    guard !endpoint.hasSuffix(":*"), !endpoint.hasSuffix(":0") else {
      return examination.warn(
        .carrier, endpoint,
        "takes another port at every start, so that peers cannot be configured for it",
        do: "name a port in the configuration")
    }
    do {
      // Our own key is on no list of ours: a daemon of ours says no, and only it can say so with its key.
      let probe = try CarrierProbe(
        to: Self.reachable(endpoint), of: identity.public, as: identity)
      try probe.reach(within: Self.timeout)
      examination.ok(.carrier, endpoint, "our daemon listens there")
    } catch CarrierError.notReached(_, .refused) {
      examination.ok(.carrier, endpoint, "our daemon listens there")
    } catch CarrierError.notReached(_, .wrongServer) {
      examination.fail(
        .carrier, endpoint, "another program, or one with another key, listens there",
        do: "find it with: ss -ltnp; choose another port, or restart our daemon with its new key")
    } catch CarrierError.notReached {
      examination.warn(
        .carrier, endpoint, "nothing listens there: our daemon does not run", do: "start it")
    } catch {
      examination.fail(.carrier, endpoint, error)
    }
  }

  /// An address that stands for all of this machine's is reached on the loopback.
  private static func reachable(_ endpoint: String) -> String {
    ["0.0.0.0", "*"].reduce(endpoint) { $0.replacing("tcp://\($1):", with: "tcp://127.0.0.1:") }
      .replacing("tcp://[::]:", with: "tcp://[::1]:")
  }
}
