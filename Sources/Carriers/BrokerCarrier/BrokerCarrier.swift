package import CarrierProtocol
import Host
import Synchronization

/// A carrier by way of a message broker: a queue is a mailbox, and each message of the broker holds chunks of a sealed one.
package final class BrokerCarrier: Carrier {
  private let broker: any Broker
  private let timeouts: ExchangeTimeouts
  private let stopping = StopFlag()
  private let liveness = LoopLiveness()
  private let news = BrokerNews()

  package init(_ broker: any Broker, timeouts: ExchangeTimeouts = ExchangeTimeouts()) {
    (self.broker, self.timeouts) = (broker, timeouts)
  }

  package var place: String { broker.place }

  package func run(_ port: CarrierPort) {
    BrokerLoop(
      broker, port, timeouts, stopping: stopping, news: news, liveness: liveness
    ).run()
    liveness.end()
  }

  package func outgoingChanged() {
    news.set()
    broker.wake()
  }

  package func stop() {
    stopping.set()
    broker.wake()
  }

  package var delay: Duration { liveness.delay }
}

/// Whether something new waits in the store.
final class BrokerNews: Sendable {
  private let isThere = Atomic(false)

  func set() { isThere.store(true, ordering: .releasing) }

  func take() -> Bool { isThere.exchange(false, ordering: .acquiringAndReleasing) }
}
