package import BrokerCarrier
package import CarrierProtocol
import Host
package import MessageFormat
package import NATS

/// The servers of a cluster with JetStream, each as good as any other.
package struct NATSBroker: Broker {
  /// What is published again, because its confirm was lost with the connection, is so within this.
  private static let duplicates: Duration = .seconds(120)

  package let place: String
  private let plan: NATSPlan
  private let events: NATSEvents
  /// Before what is published is called: nobody else can take such a name before us.
  private let run: String

  /// Throws where there is no libnats.
  package init(_ plan: NATSPlan) throws(NATSError) {
    (place, self.plan) = (plan.place, plan)
    events = try NATSEvents()
    run = String(UInt64.random(in: .min ... .max), radix: 36)
  }

  package func wake() { events.ring() }

  package func wait(until end: ContinuousClock.Instant) { events.wait(until: end) }

  package func connect(as mailbox: Mailbox) throws(CarrierError) -> any BrokerConnection {
    do {
      let line = try login(as: mailbox)
      let name = NATSNames.stream(of: mailbox)
      // What is there may have been made otherwise, by somebody who knows more: it is taken as it is.
      if try line.stream(name) == nil { try line.make(stream(of: mailbox)) }
      return NATSMailbox(line, of: mailbox, at: place, run: run)
    } catch {
      throw .faulty(endpoint: place, error)
    }
  }

  /// The stream of a mailbox, as its reader makes it.
  package func stream(of mailbox: Mailbox) -> NATSStream {
    NATSStream(
      name: NATSNames.stream(of: mailbox), subject: NATSNames.subjects(of: mailbox),
      replicas: plan.replicas, duplicates: Self.duplicates)
  }

  /// At one of the servers, in any order. Throws `NATSError` and `SecretFileError`, of what was worst.
  private func login(as mailbox: Mailbox) throws -> NATSConnection {
    var worst: (any Error)?
    for address in plan.addresses.shuffled() {
      do {
        return try login(to: address, as: mailbox)
      } catch {
        // One that is off is no news beside one that refuses us.
        if case .unreachable? = error as? NATSError, worst != nil { continue }
        worst = error
      }
    }
    throw worst ?? NATSError.outOfMemory
  }

  /// Reads credentials anew. Throws `NATSError` and `SecretFileError`.
  package func login(to address: NATSAddress, as mailbox: Mailbox) throws -> NATSConnection {
    let login: NATSLogin
    switch plan.login {
    case .none: login = .none
    case .credentials(let file):
      try file.requirePrivate()
      login = .credentials(path: file.path)
    case .user(let name, let file): login = .user(name, password: try file.firstLine())
    }
    return try NATSConnection(
      to: address, login, authorities: plan.authorities, inbox: NATSNames.inbox(of: mailbox),
      byteCountMax: Limits.brokerMessageByteCountMax, events)
  }
}
