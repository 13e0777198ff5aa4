package import BrokerCarrier
package import CarrierProtocol
import Host
package import MessageFormat
package import RabbitMQ
import Synchronization
package import Threads

/// A RabbitMQ, or another broker that speaks AMQP 0-9-1 and has quorum queues.
package struct RabbitMQBroker: Broker {
  package let place: String
  private let address: RabbitMQAddress
  private let passwordFile: SecretFile
  private let authorities: String?
  private let wakeUp: WakeUp
  /// The node that is tried next.
  private let turn: Turn

  package init(_ plan: RabbitMQPlan) throws(ThreadError) {
    (place, address) = (plan.place, plan.address)
    (passwordFile, authorities) = (plan.passwordFile, plan.authorities)
    (wakeUp, turn) = (try WakeUp(), Turn(among: plan.address.nodes.count))
  }

  package func wake() { wakeUp.signal() }

  package func wait(until end: ContinuousClock.Instant) { wakeUp.wait(until: end) }

  package func connect(as mailbox: Mailbox) throws(CarrierError) -> any BrokerConnection {
    do {
      let line = try login(at: address.nodes[turn.take()])
      // What is there may have been made otherwise, by somebody who knows more: it is taken as it is.
      if try line.waitingCount(in: mailbox.queueName) == nil {
        try line.declareDead(mailbox.deadQueueName)
        try line.declare(mailbox.queueName, deadName: mailbox.deadQueueName)
      }
      try line.beginPublishing()
      return RabbitMQQueues(line, of: mailbox, at: place, wakeUp)
    } catch {
      throw .faulty(endpoint: place, error)
    }
  }

  /// Reads the password anew. Throws `RabbitMQError` and `SecretFileError`.
  package func login(at node: RabbitMQAddress.Node) throws -> RabbitMQConnection {
    try RabbitMQConnection(
      to: address, at: node, password: try passwordFile.firstLine(), authorities: authorities,
      byteCountMax: Limits.brokerMessageByteCountMax)
  }
}

/// One node after the other, from any one on: not all machines begin with the same.
private final class Turn: Sendable {
  private let count: Int
  private let next: Mutex<Int>

  init(among count: Int) {
    self.count = count
    next = Mutex(Int.random(in: 0..<count))
  }

  func take() -> Int {
    next.withLock { next in
      defer { next = (next + 1) % count }
      return next
    }
  }
}
