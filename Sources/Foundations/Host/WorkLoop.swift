import Synchronization

/// A daemon's loop, on a thread of its own: works, rests until it is woken or a time has come, and ends when it is told
/// to. Every role's loop is one of these; what failed is tried again after a `Backoff`.
package final class WorkLoop: Sendable {
  /// The loop as its body sees it.
  package final class Turns: Sendable {
    private let bell = Bell()
    private let stopping = Atomic(false)
    fileprivate let liveness = LoopLiveness()

    package init() {}

    package var isStopping: Bool { stopping.load(ordering: .acquiring) }

    /// There is something to do. From any thread.
    package func wake() { bell.ring() }

    /// Until somebody wakes the loop, or until `end`; `nil`: until somebody does. Returns whether the loop goes on.
    package func rest(until end: ContinuousClock.Instant?) -> Bool {
      guard !isStopping else { return false }
      if let end { liveness.rest(for: max(.zero, end - .now)) } else { liveness.end() }
      bell.wait(until: end)
      liveness.beat()
      return !isStopping
    }

    package func rest(for duration: Duration) -> Bool { rest(until: .now + duration) }

    fileprivate func stop() {
      stopping.store(true, ordering: .releasing)
      bell.ring()
    }
  }

  private let turns: Turns
  private let thread: LoopThread

  /// `body` runs until `turns.rest` says that the loop is to end.
  package init(
    _ name: String, turns: Turns = Turns(), _ body: @escaping @Sendable (Turns) -> Void
  ) throws(HostError) {
    self.turns = turns
    thread = try LoopThread(name) {
      body(turns)
      turns.liveness.end()
    }
  }

  package func wake() { turns.wake() }

  /// How late the loop is with its next turn.
  package var delay: Duration { turns.liveness.delay }

  /// Tells the loop to end, and waits for it.
  package func stop() {
    turns.stop()
    thread.join()
  }
}
