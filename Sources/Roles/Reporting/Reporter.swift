import Diagnostics
package import Logging
package import MessageFormat
package import Signer
import WebClient

/// Tells code hosts and people what receipts say: on threads of its own, with a state of its own, woken by the signer and
/// never waited for by it.
///
/// One thread looks at the fleet; each code host and each way of notices has one more, so that none waits for another.
package final class Reporter: Sendable {
  private let loops: [ReportingLoop]
  private let fleet: ReportingLoop
  private let hosts: ServerWatch
  private let stops: [@Sendable () -> Void]

  /// Runs from now on, until it is stopped. Throws where its state or a file of certificates cannot be used.
  package init(
    _ settings: ReportingSettings, signer: SignerSettings, outbox: Outbox, log: Logger,
    now: @escaping @Sendable () -> Timestamp
  ) throws {
    let state = try ReportingState(below: signer.state)
    for (route, count) in try state.keep(settings.notices).sorted(by: { $0.key < $1.key }) {
      log.report(.noticesDiscarded, ["route": "\(route)", "events": .number(count)])
    }
    let groups = StatusGroup.all(of: settings.statuses)
    let upstreams = signer.repositories.map(\.source).filter(\.isUpstream).map(\.text)
    try state.keep(Set(groups.map(\.server) + upstreams.map(Self.upstream)))
    let routes = settings.notices.map { ($0, ReportingLoop(log: log)) }
    let wakeRoutes: @Sendable () -> Void = { for (_, loop) in routes { loop.wake() } }
    hosts = ServerWatch(state: state, settings: settings, now: now, onNews: wakeRoutes)
    var senders: [(StatusGroup, ReportingLoop)] = []
    for group in groups {
      senders.append((group, ReportingLoop(log: log)))
    }
    fleet = ReportingLoop(log: log)
    var stops: [@Sendable () -> Void] = []
    let observer = FleetObserver(
      settings: settings, repositories: signer.repositories, outbox: outbox, state: state,
      servers: hosts, now: now,
      wakeHosts: { [senders] in for (_, loop) in senders { loop.wake() } }, wakeRoutes: wakeRoutes)
    var starts: [() throws -> Void] = [{ [fleet] in try fleet.start { observer.makeStep() } }]
    for (group, loop) in senders {
      let client = try WebClient(group.web)
      stops.append { client.stop() }
      let (hosts, log) = (hosts, log)
      starts.append {
        try loop.start {
          var sender = StatusSender(
            group, state: state, client: client, hosts: hosts, log: log, now: now)
          return { try sender.step() }
        }
      }
    }
    for (route, loop) in routes {
      let carrier = try NoticeCarrier(route)
      stops.append { carrier.stop() }
      starts.append {
        try loop.start {
          var sender = NoticeSender(route, carrier, state: state, log: log, now: now)
          return { try sender.step() }
        }
      }
    }
    self.stops = stops
    loops = [fleet] + senders.map(\.1) + routes.map(\.1)
    do {
      for start in starts { try start() }
    } catch {
      stop()
      throw error
    }
  }

  /// Receipts came in, or something was sent. From any thread; costs nothing.
  package func wake() { fleet.wake() }

  /// A try to fetch from an upstream, by its URL; `failure`: why it could not be asked, `nil`: it could. From any
  /// thread; costs nothing.
  package func note(upstream url: String, failure: String?) {
    hosts.post(Self.upstream(url), failure: failure)
    fleet.wake()
  }

  private static func upstream(_ url: String) -> Server { Server(kind: .upstream, name: url) }

  /// What is being sent is broken off, and kept for the next start.
  package func stop() {
    for stop in stops { stop() }
    for loop in loops { loop.stop() }
  }
}
