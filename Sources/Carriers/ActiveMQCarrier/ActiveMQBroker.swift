package import BrokerCarrier
package import CarrierProtocol
package import Host
package import MessageFormat
package import STOMP

/// An ActiveMQ, or another broker that speaks STOMP 1.2 and keeps `/queue/` destinations on its disk.
package struct ActiveMQBroker: Broker {
  package let place: String
  /// A broker that leaves publications without an answer for so long is short of room.
  package var blockedMax: Duration = .seconds(30)
  private let plan: ActiveMQPlan
  private let bell = Bell()

  package init(_ plan: ActiveMQPlan) { (place, self.plan) = (plan.place, plan) }

  package func wake() { bell.ring() }

  package func wait(until end: ContinuousClock.Instant) { bell.wait(until: end) }

  package func connect(as mailbox: Mailbox) throws(CarrierError) -> any BrokerConnection {
    do {
      return ActiveMQQueues(of: self, as: mailbox, publishing: try login(ringing: bell), bell)
    } catch {
      throw .faulty(endpoint: place, error)
    }
  }

  /// Reads the password anew. Throws `STOMPError` and `SecretFileError`.
  package func login(ringing bell: Bell) throws -> STOMPConnection {
    let login = try plan.user.map {
      STOMPLogin(user: $0.name, password: try $0.passwordFile.firstLine())
    }
    return try STOMPConnection(
      to: plan.address, as: login, authorities: plan.authorities,
      bodyByteCountMax: Limits.brokerMessageByteCountMax, ring: { bell.ring() })
  }
}
