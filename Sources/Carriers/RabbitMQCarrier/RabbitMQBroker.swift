package import BrokerCarrier
package import CarrierProtocol
import Host
package import MessageFormat
package import RabbitMQ
package import Threads

/// A RabbitMQ, or another broker that speaks AMQP 0-9-1 and has quorum queues.
package struct RabbitMQBroker: Broker {
  package let place: String
  private let address: RabbitMQAddress
  private let passwordFile: SecretFile
  private let authorities: String?
  private let wakeUp: WakeUp

  package init(_ plan: RabbitMQPlan) throws(ThreadError) {
    (place, address) = (plan.place, plan.address)
    (passwordFile, authorities) = (plan.passwordFile, plan.authorities)
    wakeUp = try WakeUp()
  }

  package func wake() { wakeUp.signal() }

  package func wait(until end: ContinuousClock.Instant) { wakeUp.wait(until: end) }

  package func connect(as mailbox: Mailbox) throws(CarrierError) -> any BrokerConnection {
    do {
      let line = try login()
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
  package func login() throws -> RabbitMQConnection {
    try RabbitMQConnection(
      to: address, password: try passwordFile.firstLine(), authorities: authorities,
      byteCountMax: Limits.brokerMessageByteCountMax)
  }
}
