import BrokerCarrier
import CarrierProtocol
import MessageFormat
import RabbitMQ
import Threads

/// Mailboxes as queues, over one connection. Belongs to one thread.
final class RabbitMQQueues: BrokerConnection {
  private let line: RabbitMQConnection
  private let mailbox: Mailbox
  private let place: String
  private let wakeUp: WakeUp
  private var hasFailed = false

  init(_ line: RabbitMQConnection, of mailbox: Mailbox, at place: String, _ wakeUp: WakeUp) {
    (self.line, self.mailbox, self.place, self.wakeUp) = (line, mailbox, place, wakeUp)
  }

  private func calling<Value>(
    _ body: () throws(RabbitMQError) -> Value
  ) throws(CarrierError) -> Value {
    do throws(RabbitMQError) {
      return try body()
    } catch {
      hasFailed = true
      throw .faulty(endpoint: place, error)
    }
  }

  func publish(
    _ message: BrokerMessage, into mailbox: Mailbox, lifetime: Duration?
  ) throws(CarrierError) {
    try calling { () throws(RabbitMQError) in
      try line.publish(message.encoded(), to: mailbox.queueName, lifetime: lifetime)
    }
  }

  func consume(prefetch: UInt16) throws(CarrierError) {
    try calling { () throws(RabbitMQError) in
      try line.consume(mailbox.queueName, prefetch: prefetch)
    }
  }

  func cancel() throws(CarrierError) {
    try calling { () throws(RabbitMQError) in try line.cancel() }
  }

  func acknowledge(_ deliveries: [DeliveryTag]) throws(CarrierError) {
    try calling { () throws(RabbitMQError) in for tag in deliveries { try line.acknowledge(tag) } }
  }

  func reject(_ deliveries: [DeliveryTag]) throws(CarrierError) {
    try calling { () throws(RabbitMQError) in for tag in deliveries { try line.reject(tag) } }
  }

  func waitingCount() throws(CarrierError) -> UInt64 {
    try calling { () throws(RabbitMQError) in
      guard let count = try line.waitingCount(in: mailbox.queueName) else {
        throw .closed(code: 404, reason: "our queue was deleted")
      }
      return UInt64(count)
    }
  }

  func next(until end: ContinuousClock.Instant) throws(CarrierError) -> BrokerEvent? {
    let event = try calling { () throws(RabbitMQError) in
      try line.next(until: end, unless: wakeUp)
    }
    switch event {
    case nil: return nil
    case .confirmed(let number, let includesEarlier):
      return .confirmed(PublicationNumbers(number, includesEarlier: includesEarlier))
    case .refused(let number, let includesEarlier):
      // What a queue says that has reached its greatest length (`x-overflow: reject-publish`).
      return .refused(
        PublicationNumbers(number, includesEarlier: includesEarlier), .overQuota,
        "the queue takes no more")
    case .returned(let number, let code):
      return .refused(
        PublicationNumbers(number), code == 312 ? .unknownMailbox : .fault,
        code == 312 ? "there is no queue for it" : "returned with code \(code)")
    case .delivery(let tag, let bytes): return .delivery(tag, bytes: bytes)
    case .blocked(let reason): return .blocked(reason)
    }
  }

  func close() { line.close(inOrder: !hasFailed) }
}
