package import CarrierProtocol
import Host
import SharedFiles

/// A directory that somebody carries, as a carrier: looks at it now and then, and whenever something new waits here.
package final class DirectoryExchange: Carrier {
  private struct Stopped: Error {}

  private let plan: DirectoryPlan
  private let timeouts: ExchangeTimeouts
  private let bell = Bell()
  private let stopping = StopFlag()
  private let liveness = LoopLiveness()

  init(_ plan: DirectoryPlan, _ timeouts: ExchangeTimeouts) {
    (self.plan, self.timeouts) = (plan, timeouts)
  }

  package var place: String { plan.place }

  package func run(_ port: CarrierPort) {
    let reports = DirectoryReports(port, place: place)
    let traffic = DirectoryTraffic(port, plan, reports)
    var backoff = Backoff(
      first: timeouts.pauses.first, longest: max(timeouts.pauses.first, plan.pollInterval),
      jitter: timeouts.jitter)
    while !stopping.isSet {
      liveness.beat()
      var pause = plan.pollInterval
      do {
        try traffic.look { [liveness, stopping] in
          liveness.beat()
          if stopping.isSet { throw Stopped() }
        }
        reports.connected()
        backoff.reset()
      } catch is Stopped {
        break
      } catch {
        reports.failed(error)
        pause = backoff.next()
      }
      liveness.rest(for: pause)
      bell.wait(for: pause)
    }
    liveness.end()
  }

  package var delay: Duration { liveness.delay }

  package func outgoingChanged() { bell.ring() }

  package func stop() {
    stopping.set()
    bell.ring()
  }
}
