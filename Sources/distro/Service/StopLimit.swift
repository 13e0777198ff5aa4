import Diagnostics
import Dispatch
import Foundation
import Host
import Logging
import ServiceLifecycle
import Synchronization

/// Ends the program when stopping takes too long: everything that it does may be interrupted, and goes on at the next start.
final class StopLimit: Service {
  /// Within five seconds of the signal we are gone: so long for the work in hand, then so long for noting that it is left,
  /// which waits for the database that the work may be waiting for.
  private static let timeout: DispatchTimeInterval = .milliseconds(3_750)
  private static let noteTimeout: Duration = .milliseconds(750)

  private struct State {
    var isStopping = false
    var runners: [RoleRunner] = []
    var group: ServiceGroup?
  }

  private let state = Mutex(State())
  private let log: Logger

  init(log: Logger) { self.log = log }

  /// These are to be stopped, at once where the signal has come already.
  func take(_ runners: [RoleRunner], in group: ServiceGroup) async {
    let isStopping = state.withLock { state in
      (state.runners, state.group) = (runners, group)
      return state.isStopping
    }
    if isStopping { await group.triggerGracefulShutdown() }
  }

  /// The signal has come.
  func stop() async {
    begin()
    await state.withLock { $0.group }?.triggerGracefulShutdown()
  }

  /// The time also counts where a role has failed.
  func run() async throws {
    try await gracefulShutdown()
    begin()
  }

  private func begin() {
    let hasBegun = state.withLock { state in
      defer { state.isStopping = true }
      return state.isStopping
    }
    guard !hasBegun else { return }
    DispatchQueue.global().asyncAfter(deadline: .now() + Self.timeout) { self.end() }
  }

  private func end() {
    log.report(.workInterrupted)
    if !LastWord.say(within: Self.noteTimeout, abandon) {
      log.report(.noteFailed, ["error": "database did not respond in time"])
    }
    _exit(ExitStatus.done.rawValue)
  }

  @Sendable private func abandon() {
    for runner in state.withLock({ $0.runners }) {
      do {
        try runner.abandon()
      } catch {
        log.report(
          .noteFailed,
          ["role": "\(runner.name)", "error": "\(ErrorReport(error).message)"])
      }
    }
  }
}
