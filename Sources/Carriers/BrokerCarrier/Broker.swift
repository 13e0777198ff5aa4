package import CarrierProtocol
package import MessageFormat

/// A message broker as somebody may use it: where it is, and as whom. One conformance for each protocol that brokers
/// speak; `BrokerCarrier` does the rest. All words are AMQP's.
package protocol Broker: Sendable {
  /// The name by which people know it: an address, mostly, without credentials.
  var place: String { get }

  /// Connects, and reads credentials anew. Our own queue is there when it returns, or with
  /// the first `consume` where a broker declares none. May block for its timeouts.
  func connect(as mailbox: Mailbox) throws(CarrierError) -> any BrokerConnection

  /// Ends a wait of this value's or of its connection's. From any thread; none is lost.
  func wake()

  /// Returns when it is woken, or then.
  func wait(until end: ContinuousClock.Instant)
}

/// A connection to a broker. Belongs to the thread that made it; any error ends it.
package protocol BrokerConnection: AnyObject {
  /// Hands a message over for one queue; `confirmed` or `refused` follows. The first of a connection is number 1, and
  /// so on. `lifetime`: the broker may forget it after so long; `nil`: it keeps it.
  func publish(
    _ message: BrokerMessage, into mailbox: Mailbox, lifetime: Duration?
  ) throws(CarrierError)

  /// From now on messages of our queue are delivered, so many at most without an acknowledgement.
  func consume(prefetch: UInt16) throws(CarrierError)

  /// Ends that: what was delivered and not acknowledged is delivered again, at the next `consume`.
  func cancel() throws(CarrierError)

  /// The broker may forget these.
  func acknowledge(_ deliveries: [DeliveryTag]) throws(CarrierError)

  /// The broker never delivers these again. Where it can, it puts them where somebody may look at them.
  func reject(_ deliveries: [DeliveryTag]) throws(CarrierError)

  /// How many messages wait in our queue that were not delivered.
  func waitingCount() throws(CarrierError) -> UInt64

  /// What happens next; `nil`: nothing until then, or it was woken. Keeps the connection alive.
  func next(until end: ContinuousClock.Instant) throws(CarrierError) -> BrokerEvent?

  /// Until then what is older may come behind what is newer, as it belongs to an earlier connection still. `nil`: a queue
  /// has its order from the beginning.
  var disorderEnd: ContinuousClock.Instant? { get }

  /// Ends it in order, so far as that is possible at once.
  func close()
}

extension BrokerConnection {
  package var disorderEnd: ContinuousClock.Instant? { nil }
}

/// By which a connection knows a delivery.
package typealias DeliveryTag = UInt64

package enum BrokerEvent: Sendable {
  /// The broker has these publications on its disk, of all that it replicates to.
  case confirmed(PublicationNumbers)
  /// It does not take these.
  case refused(PublicationNumbers, CarrierRefusal, String)
  /// `bytes`: `nil` where they are more than a message of ours has.
  case delivery(DeliveryTag, bytes: [UInt8]?)
  /// It takes nothing for now, of anybody: its disk or memory is short.
  case blocked(String)
}

/// One publication, or all up to one.
package struct PublicationNumbers: Sendable {
  package let last: UInt64
  package let includesEarlier: Bool

  package init(_ last: UInt64, includesEarlier: Bool = false) {
    (self.last, self.includesEarlier) = (last, includesEarlier)
  }

  func contains(_ number: UInt64) -> Bool {
    includesEarlier ? number <= last : number == last
  }
}
