import Diagnostics
import Foundation
import Git
import GitModel
package import Host
package import Logging
package import MessageFormat
package import Programs
import Synchronization
import Upstreams

/// Looks by itself whether branches have moved, and sends what has: a repository of this machine each second, by the
/// times of its files; an upstream every `poll-seconds`. So a hook that is missed, or a hint that is lost, costs no more.
///
/// Repositories are looked at side by side, each by one thread at a time.
package final class SourceWatch: Sendable {
  private static let threadCountMax = 16
  private static let tick: Duration = .seconds(1)

  private struct State {
    var sources: [WatchedSource]
    var threadCount = 0
    var isStopping = false
  }

  private let context: WatchContext
  private let stopsPrograms: ProgramStop
  private let liveness = LoopLiveness()
  private let bell = Bell()
  private let state: Mutex<State>

  package init(
    _ settings: SignerSettings, outbox: Outbox, delivery: Delivery, turns: StreamTurns,
    mirrors: Mirrors, stop: ProgramStop, log: Logger, now: @escaping @Sendable () -> Timestamp,
    jitter: @escaping Backoff.Jitter = Backoff.random
  ) {
    context = WatchContext(
      settings: settings, outbox: outbox, delivery: delivery, turns: turns, mirrors: mirrors,
      log: log, now: now, jitter: jitter)
    stopsPrograms = stop
    let sources = Dictionary(grouping: settings.repositories) { $0.source.path }.values
      .compactMap { WatchedSource($0, jitter: jitter) }
    state = Mutex(State(sources: sources))
    liveness.end()
  }

  /// How late the loop is with its next turn; looks have threads of their own.
  package var delay: Duration { liveness.delay }

  /// Returns when all looks have ended, after `stop`.
  package func run() {
    while !state.withLock({ $0.isStopping }) {
      let next = turn()
      liveness.rest(for: next)
      bell.wait(for: next)
    }
    liveness.end()
    while state.withLock({ $0.threadCount > 0 }) { bell.wait(for: .seconds(1)) }
  }

  /// What is being packed is finished; a fetch is ended. From any thread.
  package func stop() {
    state.withLock { $0.isStopping = true }
    stopsPrograms.set()
    bell.ring()
  }

  /// Begins the looks that are due; returns for how long none will be.
  private func turn() -> Duration {
    let now = ContinuousClock.now
    let (begun, next) = state.withLock { state -> ([Int], Duration) in
      var begun: [Int] = []
      for index in state.sources.indices where state.threadCount < Self.threadCountMax {
        guard state.sources[index].takeTurn(at: now) else { continue }
        state.threadCount += 1
        begun.append(index)
      }
      let next = state.sources.compactMap { $0.isBusy ? nil : $0.dueAt }.min()
      return (begun, max(.milliseconds(50), next.map { $0 - now } ?? Self.tick * 60))
    }
    for index in begun { look(at: index) }
    return next
  }

  private func look(at index: Int) {
    let thread = Thread { [self] in
      let source = state.withLock { $0.sources[index] }
      let result = context.look(at: source)
      state.withLock { state in
        state.sources[index].endTurn(result, at: .now)
        state.threadCount -= 1
      }
      bell.ring()
    }
    thread.stackSize = 8 << 20
    thread.start()
  }
}

/// What a look takes, whichever thread takes it.
struct WatchContext: Sendable {
  let settings: SignerSettings
  let outbox: Outbox
  let delivery: Delivery
  let turns: StreamTurns
  let mirrors: Mirrors
  let log: Logger
  let now: @Sendable () -> Timestamp
  let jitter: Backoff.Jitter

  /// Fetches, sends what has moved, and reports what is news.
  func look(at source: WatchedSource) -> WatchedSource.Result {
    var result = WatchedSource.Result()
    do {
      try mirrors.refresh(source.entries)
    } catch {
      result.fault = error
    }
    do {
      guard source.isReadable else { return report(result, of: source) }
      let sending = Sending(
        settings, outbox: outbox, mirrors: mirrors, progress: SendProgress { _, _, _ in }, now: now)
      let moves = try MovedBranches(sending: sending, turns: turns)
        .send(source.entries) { source.isResting($0, at: $1) }
      for move in moves {
        report(move, of: source, &result)
        if case .success(let outcome) = move.outcome {
          log.report(try sending.newSubmodules(of: outcome))
        }
      }
      if moves.contains(where: \.isSent) { delivery.outboxChanged() }
      try keepUp(source)
    } catch {
      result.fault = result.fault ?? error
    }
    return report(result, of: source)
  }

  private func keepUp(_ source: WatchedSource) throws {
    guard case .upstream(let place)? = source.entries.first?.source else { return }
    _ = try mirrors.keepUpLargeFiles(of: place, at: now())
    let done = try mirrors.upkeep(place) { try outbox.neededRevisions() }
    guard done != .nothing else { return }
    log.report(.mirrorConsolidated, ["repository": "\(source.text)", "work": "\(done)"])
  }

  // MARK: - What is said

  private func report(
    _ move: MovedBranches.Move, of source: WatchedSource, _ result: inout WatchedSource.Result
  ) {
    switch move.outcome {
    case .success(let outcome):
      guard outcome.finding == .sent else { return }
      let recipientCount = outcome.sent.reduce(0) { $0 + $1.recipients.count }
      log.report(
        .branchSent,
        [
          "stream": "\(move.stream)", "to": "\(outcome.target.revision.abbreviated)",
          "recipients": .number(recipientCount),
        ])
    case .failure(let error):
      if let error = error as? SignerError, error.isOvertaken { return }
      result.failures[move.stream] = move.tip
      guard source.isNews(move.stream, at: move.tip), !isStopped(error) else { return }
      log.report(.branchFailed, fields(of: error, ["stream": "\(move.stream)"]))
    }
  }

  private func report(
    _ result: WatchedSource.Result, of source: WatchedSource
  ) -> WatchedSource.Result {
    var result = result
    result.code = result.fault.map { IntakeRefusal($0).code }
    if let fault = result.fault, !isStopped(fault) {
      if source.isNews(result.code) {
        log.report(.sourceFailed, fields(of: fault, ["repository": "\(source.text)"]))
      }
    } else if source.hasFailed, result.fault == nil {
      log.report(.sourceRecovered, ["repository": "\(source.text)"])
    }
    return result
  }

  private func isStopped(_ error: any Error) -> Bool {
    if case .program(.stopped)? = error as? UpstreamError { return true }
    if case .largeFileFetch(_, _, _, .stopped)? = error as? SignerError { return true }
    return false
  }

  private func fields(of error: any Error, _ fields: Logger.Metadata) -> Logger.Metadata {
    let refusal = IntakeRefusal(error)
    return fields.merging(
      ["error": "\(refusal.message)", "code": "\(refusal.code)", "hint": "\(refusal.hint ?? "")"]
    ) { $1 }
  }
}

extension MovedBranches.Move {
  fileprivate var isSent: Bool {
    if case .success(let outcome) = outcome { outcome.finding == .sent } else { false }
  }
}
