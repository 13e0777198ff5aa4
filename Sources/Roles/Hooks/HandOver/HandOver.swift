import Diagnostics
import Foundation
package import Host
package import Logging
import Mailboxes
package import MessageFormat
import Synchronization

/// Tells the signer what waits, until it has taken everything. A burst for one repository is one hint. Each repository is
/// told of by itself: one that the signer fetches for minutes, or does not take, keeps no other waiting.
///
/// Belongs to one thread; telling has threads of its own.
package final class HandOver {
  /// What came of a step.
  package enum Next: Equatable {
    case now
    /// Or when a repository has been told of.
    case after(Duration)
  }

  /// Hands a hint to the signer; returns when it has taken it, throws where it has not. May take as long as a fetch.
  package typealias Tell = @Sendable (MovedRepository) throws -> Void
  /// Runs what blocks beside the caller.
  package typealias Spawn = (@escaping @Sendable () -> Void) -> Void

  private struct Rest {
    var backoff: Backoff
    var end: ContinuousClock.Instant
    var code: ErrorCode
  }

  private struct Result: Sendable {
    let push: WaitingPush
    /// `nil`: the signer has taken it.
    let error: (any Error)?
  }

  /// What other threads have said; outlives the steps.
  private final class Results: Sendable {
    private let all = Mutex<[Result]>([])
    func put(_ result: Result) { all.withLock { $0.append(result) } }
    var isEmpty: Bool { all.withLock { $0.isEmpty } }
    func take() -> [Result] {
      all.withLock { all in
        defer { all = [] }
        return all
      }
    }
  }

  private static let underwayCountMax = 8
  private static let sweepInterval: Duration = .seconds(600)
  /// A clock that is ahead of us by more has stored times that mean nothing.
  private static let skewMilliseconds: UInt64 = 300_000

  private let store: HookStore
  private let log: Logger
  private let now: () -> Timestamp
  private let jitter: Backoff.Jitter
  private let tell: Tell
  private let wake: @Sendable () -> Void
  private let spawn: Spawn
  private let results = Results()
  private var underway: Set<RemoteName> = []
  private var rests: [RemoteName: Rest] = [:]
  private var nextSweep = ContinuousClock.now

  /// `wake`: there is a reason for another step; from any thread.
  package init(
    _ store: HookStore, log: Logger, now: @escaping () -> Timestamp,
    jitter: @escaping Backoff.Jitter = Backoff.random, wake: @escaping @Sendable () -> Void,
    spawn: @escaping Spawn = { body in Thread(block: body).start() }, tell: @escaping Tell
  ) {
    (self.store, self.log, self.now, self.jitter) = (store, log, now, jitter)
    (self.tell, self.wake, self.spawn) = (tell, wake, spawn)
  }

  /// Throws what the disk says.
  package func step(at instant: ContinuousClock.Instant = .now) throws -> Next {
    for result in results.take() {
      underway.remove(result.push.remote)
      if let error = result.error {
        try keep(result.push, error, at: instant)
      } else {
        try remove(result.push)
      }
    }
    try sweepIfDue(at: instant)
    let waiting = try store.waiting()
    let remotes = Set(waiting.map(\.remote))
    rests = rests.filter { remotes.contains($0.key) }
    let ready = waiting.filter {
      !underway.contains($0.remote) && (rests[$0.remote]?.end ?? instant) <= instant
    }
    for push in ready.prefix(Self.underwayCountMax - underway.count) { start(push) }
    guard results.isEmpty else { return .now }
    let end = rests.filter { !underway.contains($0.key) }.values.map(\.end).min()
    return .after(min(end.map { $0 - instant } ?? Self.sweepInterval, nextSweep - instant))
  }

  private func sweepIfDue(at instant: ContinuousClock.Instant) throws {
    guard nextSweep <= instant else { return }
    let count = try store.sweep(at: now(), skewMilliseconds: Self.skewMilliseconds)
    if count > 0 { log.report(.hookExpired, ["count": .number(count)]) }
    nextSweep = instant + Self.sweepInterval
  }

  private func start(_ push: WaitingPush) {
    underway.insert(push.remote)
    let (tell, wake, results) = (tell, wake, results)
    spawn {
      do {
        try tell(MovedRepository(remote: push.remote, refs: push.refs))
        results.put(Result(push: push, error: nil))
      } catch {
        results.put(Result(push: push, error: error))
      }
      wake()
    }
  }

  private func remove(_ push: WaitingPush) throws {
    rests[push.remote] = nil
    try store.remove(push, at: now())
    let waited = now().milliseconds - min(now().milliseconds, push.oldestAt.milliseconds)
    log.report(
      .hookHandedOver,
      [
        "remote": "\(push.remote)", "refs": .number(push.refs.count),
        "milliseconds": .number(waited),
      ])
  }

  /// Said once for each reason, until the signer takes it.
  private func keep(
    _ push: WaitingPush, _ error: any Error, at instant: ContinuousClock.Instant
  ) throws {
    let fault = error as? any OperatorError
    let code = fault?.code ?? .other
    var rest =
      rests[push.remote]
      ?? Rest(
        backoff: Backoff(first: .seconds(1), longest: .seconds(30), jitter: jitter), end: instant,
        code: .usage)
    let isNews = rest.code != code
    rest.code = code
    rest.end = instant + rest.backoff.next()
    rests[push.remote] = rest
    try store.note(fault?.message ?? "\(error)", about: push)
    guard isNews else { return }
    log.report(
      .hookKept,
      [
        "remote": "\(push.remote)", "error": "\(fault?.message ?? "\(error)")",
        "code": "\(code.rawValue)", "hint": "\(fault?.hint ?? "")",
      ])
  }
}
