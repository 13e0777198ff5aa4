package import CarrierProtocol
import Host
package import Sodium
import Threads
import ZeroMQ

/// A carrier that connects: to a relay, or to an applier that listens. One connection for both directions.
package final class ZeroMQExchange: Carrier {
  package let place: String
  private let server: CurvePublicKey
  private let identity: TransportIdentity
  private let timeouts: ExchangeTimeouts
  private let context: Context
  private let wakeUp: WakeUp
  private let stopping = StopFlag()
  private let liveness = LoopLiveness()

  /// `server`: the identity that must answer at `place`.
  package init(
    to place: String, of server: PublicIdentity, as identity: Identity,
    timeouts: ExchangeTimeouts = ExchangeTimeouts()
  ) throws {
    self.place = place
    self.server = CurvePublicKey(of: server)
    self.identity = TransportIdentity(identity)
    self.timeouts = timeouts
    context = try Context()
    wakeUp = try WakeUp()
  }

  package func run(_ port: CarrierPort) {
    let link = ZeroMQLink(
      to: place, of: server, as: identity, in: context, wakeUp: wakeUp, liveness: liveness)
    ExchangeLoop(
      link, to: place, port, timeouts, stopping: stopping, liveness: liveness
    ).run()
    liveness.end()
  }

  package var delay: Duration { liveness.delay }

  package func outgoingChanged() { wakeUp.signal() }

  package func stop() {
    stopping.set()
    wakeUp.signal()
  }
}
