import Diagnostics
import Foundation
import Host
import Logging
import ServiceLifecycle
import Synchronization

/// The loop of a role that works step by step: on a thread of its own, woken when there is news, with growing pauses after
/// a fault of this machine, until it is told to stop. The only place that waits for a role.
final class WorkLoop: Sendable {
  /// When to take the next step, unless the loop is woken before.
  enum Next {
    case now
    case after(Duration)
    case whenWoken
  }

  /// A state that was deleted is noticed so soon while there is nothing to do.
  private static let look: Duration = .seconds(5)

  private let bell = Bell()
  private let isStopping = Mutex(false)
  private let liveness = LoopLiveness()
  private let log: Logger

  init(log: Logger) {
    self.log = log
    liveness.end()
  }

  /// There is something new to do. From any thread.
  func wake() { bell.ring() }

  /// How late a wait is with its end. A step may take what it takes.
  var delay: Duration { liveness.delay }

  /// Until the service is to stop. A step that throws is taken again after a pause; `requirement` is checked before each
  /// step, and ends the loop by throwing: what it asks for does not come back by itself.
  func run(
    requiring requirement: @escaping @Sendable () throws -> Void,
    _ makeStep: @escaping @Sendable () -> () throws -> Next
  ) async throws {
    let (end, ending) = AsyncThrowingStream<Never, any Error>.makeStream()
    let thread = Thread { [self] in
      ending.finish(
        throwing: Result { try work(requirement, makeStep()) }.failure)
    }
    thread.stackSize = 8 << 20
    thread.start()
    try await withGracefulShutdownHandler {
      for try await _ in end {}
    } onGracefulShutdown: {
      self.stop()
    }
  }

  /// Ends after the step in hand. From any thread.
  func stop() {
    isStopping.withLock { $0 = true }
    bell.ring()
  }

  private func work(_ requirement: () throws -> Void, _ step: () throws -> Next) throws {
    var backoff = Backoff(first: .seconds(1), longest: .seconds(30), jitter: Backoff.random)
    while !isStopping.withLock({ $0 }) {
      try requirement()
      do {
        let next = try step()
        backoff.reset()
        switch next {
        case .now: break
        case .after(let duration): try rest(for: duration, requirement)
        case .whenWoken: try rest(for: nil, requirement)
        }
      } catch {
        guard ExitStatus(of: error) == .fault else { throw error }
        log.report(.fault, ErrorReport(error).metadata)
        try rest(for: backoff.next(), requirement)
      }
    }
  }

  private func rest(for duration: Duration?, _ requirement: () throws -> Void) throws {
    let end = duration.map { ContinuousClock.now + $0 }
    defer { liveness.end() }
    while true {
      let rest = min(Self.look, end.map { $0 - .now } ?? Self.look)
      guard rest > .zero else { return }
      liveness.rest(for: rest)
      if bell.wait(for: rest) { return }
      try requirement()
    }
  }
}

extension Result where Failure == any Error {
  fileprivate var failure: (any Error)? {
    if case .failure(let error) = self { error } else { nil }
  }
}
