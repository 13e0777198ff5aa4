import Synchronization
import Threads

/// The carriers of a role, each on a thread of its own: all that a role does with transports.
package final class CarrierSet: Sendable {
  private struct Running: Sendable {
    let carrier: any Carrier
    let thread: LoopThread
  }

  private let running = Mutex<[Running]>([])

  /// Where each was found, or listens.
  package var places: [String] { running.withLock { $0.map(\.carrier.place) } }

  package init() {}

  deinit { stop() }

  /// Begins to work when it returns, and throws what cannot begin. `onFailure`: a carrier has ended by itself, and none
  /// like it would go on.
  package func start(
    _ carrier: any Carrier, _ port: CarrierPort,
    onFailure: @escaping @Sendable (any Error) -> Void
  ) throws {
    let port = port.notingMoves
    let thread = try LoopThread {
      do {
        try carrier.run(port)
      } catch {
        onFailure(error)
      }
    }
    running.withLock { $0.append(Running(carrier: carrier, thread: thread)) }
  }

  /// Something new waits in the store. From any thread.
  package func outgoingChanged() {
    for one in running.withLock({ $0 }) { one.carrier.outgoingChanged() }
  }

  /// How late the latest of their loops is with its next turn.
  package var delay: Duration {
    running.withLock { $0 }.map(\.carrier.delay).max() ?? .zero
  }

  /// Ends all; what was under way is carried on by the next run of the program.
  package func stop() {
    let all = running.withLock { list in
      defer { list = [] }
      return list
    }
    for one in all { one.carrier.stop() }
    for one in all { one.thread.join() }
  }
}
