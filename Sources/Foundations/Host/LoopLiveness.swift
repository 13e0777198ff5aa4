import Synchronization

/// How late a loop is with its next turn, as seen from another thread. A loop that rests says for how long, so
/// that one with nothing to do is not late.
package final class LoopLiveness: Sendable {
  /// When the loop is to turn again at the latest; `nil`: nothing is expected of it. By the clock that stands still while
  /// the machine is suspended, as the service manager's does.
  private let due: Mutex<SuspendingClock.Instant?>

  package init() { due = Mutex(.now) }

  /// The loop gets on.
  package func beat() { due.withLock { $0 = .now } }

  /// The loop has nothing to do for so long at most.
  package func rest(for duration: Duration) { due.withLock { $0 = .now + duration } }

  /// The loop has ended, or rests until it is woken.
  package func end() { due.withLock { $0 = nil } }

  package var delay: Duration {
    due.withLock { due in due.map { max(.zero, .now - $0) } ?? .zero }
  }
}
