package import CarrierProtocol
import Host
import Mailboxes
import MessageFormat
import Synchronization

/// One machine's end of a broker in memory. Either `run` moves what there is, on a thread, or a test takes it `step` by step.
package final class InProcessEnd: Carrier {
  private static let pauses = (first: Duration.milliseconds(50), longest: Duration.seconds(1))

  package let place: String
  private let broker: InProcessBroker
  private let bell = Bell()
  private let stopping = StopFlag()

  package init(of broker: InProcessBroker, named place: String = "in-process") {
    (self.broker, self.place) = (broker, place)
  }

  package func run(_ port: CarrierPort) {
    let traffic = InProcessTraffic(port, broker)
    while !stopping.isSet {
      while !stopping.isSet, traffic.step() {}
      // Others put in, and time passes, without a word.
      bell.wait(for: .milliseconds(5))
    }
    traffic.end()
  }

  /// For a test that moves time: a run of this end that begins now.
  package func traffic(_ port: CarrierPort) -> InProcessTraffic { InProcessTraffic(port, broker) }

  package func outgoingChanged() { bell.ring() }

  package func stop() {
    stopping.set()
    bell.ring()
  }

  package var delay: Duration { .zero }
}
