import Diagnostics
import Host
import Logging
import Synchronization
import Threads

/// One of reporting's threads: takes a step, rests until it is woken or until a time, and is never a reason for the
/// signer to end. A step that throws is taken again after a growing pause.
final class ReportingLoop: Sendable {
  /// Until when to rest: not before `atLeast`, whatever wakes us; then until woken, or until `atMost`.
  struct Rest {
    var atLeast: Duration = .zero
    var atMost: Duration?

    static let none = Rest(atMost: .zero)
  }

  private let bell = Bell()
  private let isStopping = StopFlag()
  private let thread = Mutex<LoopThread?>(nil)
  private let log: Logger

  init(log: Logger) { self.log = log }

  /// There may be something new to do. From any thread.
  func wake() { bell.ring() }

  /// `makeStep`: called on the thread, whose step may keep what it likes.
  func start(
    _ makeStep: @escaping @Sendable () -> () throws -> Rest
  ) throws(ThreadError) {
    let started = try LoopThread { [self] in work(makeStep()) }
    thread.withLock { $0 = started }
  }

  /// Ends after the step in hand. From any thread but its own.
  func stop() {
    isStopping.set()
    bell.ring()
    let running = thread.withLock { thread in
      defer { thread = nil }
      return thread
    }
    running?.join()
  }

  private func work(_ step: () throws -> Rest) {
    var backoff = Backoff(first: .seconds(1), longest: .seconds(60), jitter: Backoff.random)
    while !isStopping.isSet {
      do {
        let rest = try step()
        backoff.reset()
        wait(rest)
      } catch {
        guard !isStopping.isSet else { return }
        let known = error as? any OperatorError
        log.report(
          .fault,
          [
            "error": "reporting: \(known?.message ?? "\(error)")",
            "code": "\((known?.code ?? .other).rawValue)",
          ])
        wait(Rest(atLeast: backoff.next(), atMost: .zero))
      }
    }
  }

  private func wait(_ rest: Rest) {
    let start = ContinuousClock.now
    var hasRung = false
    while !isStopping.isSet, start + rest.atLeast > .now {
      hasRung = bell.wait(until: start + rest.atLeast) || hasRung
    }
    guard !hasRung, !isStopping.isSet else { return }
    bell.wait(until: rest.atMost.map { start + $0 })
  }
}
