import Git
package import GitModel
package import Host
package import MessageFormat
import Upstreams

/// One repository that a daemon looks at, and when next.
package struct WatchedSource: Sendable {
  /// What a look came to.
  package struct Result: Sendable {
    package var fault: (any Error)?
    package var code: String?
    /// Branches that could not be sent, and where they are.
    package var failures: [StreamName: ObjectID] = [:]

    package init() {}
  }

  private struct Failure: Sendable {
    var tip: ObjectID
    var backoff: Backoff
    var until: ContinuousClock.Instant
  }

  /// What stays wrong is said again after so long.
  private static let reminder: Duration = .seconds(3_600)
  private static let retryFirst: Duration = .seconds(10)
  private static let retryLongest: Duration = .seconds(600)
  /// Spread, so that the upstreams of many signers are not asked at once; never later than was promised.
  private static let spread = 0.8...1.0

  /// All of one repository.
  let entries: [SignerRepository]
  private let poll: Duration
  private let jitter: Backoff.Jitter
  private(set) var dueAt: ContinuousClock.Instant
  private(set) var isBusy = false
  private var references: ReferenceWatch?
  private var backoff: Backoff
  private var code: String?
  private var saidAt: ContinuousClock.Instant?
  private var failures: [StreamName: Failure] = [:]

  /// `nil`: nothing looks at it by itself.
  package init?(_ entries: [SignerRepository], jitter: @escaping Backoff.Jitter) {
    guard let seconds = entries.compactMap(\.pollSeconds).min() else { return nil }
    self.entries = entries
    self.jitter = jitter
    poll = .seconds(seconds)
    backoff = Backoff(
      first: min(Self.retryFirst, .seconds(seconds)),
      longest: max(min(Self.retryLongest, .seconds(seconds)), .seconds(1)), jitter: jitter)
    dueAt = .now
  }

  var text: String { entries.first?.source.text ?? "" }

  private var place: Mirror.Place? {
    if case .upstream(let place)? = entries.first?.source { place } else { nil }
  }

  var isReadable: Bool { entries.first?.source.isReadable ?? false }

  var hasFailed: Bool { code != nil }

  // MARK: - Turns

  /// Whether it is to be looked at now; counts as begun then.
  package mutating func takeTurn(at now: ContinuousClock.Instant) -> Bool {
    guard !isBusy, dueAt <= now else { return false }
    dueAt = now + rest
    guard mayHaveMoved(at: now) else { return false }
    isBusy = true
    return true
  }

  /// A repository of this machine says by its files' times whether there is anything to look at.
  private mutating func mayHaveMoved(at now: ContinuousClock.Instant) -> Bool {
    guard place == nil else { return true }
    do throws(GitError) {
      var watch: ReferenceWatch
      if let references {
        watch = references
      } else {
        watch = ReferenceWatch(try Repository(opening: text).commonDirectory)
      }
      let isMoved = try watch.mayHaveMoved()
      references = watch
      return isMoved || code != nil || failures.values.contains { $0.until <= now }
    } catch {
      // The look says what is wrong.
      references = nil
      return true
    }
  }

  package mutating func endTurn(_ result: Result, at now: ContinuousClock.Instant) {
    isBusy = false
    if result.code != nil, code != result.code || isReminderDue(at: now) { saidAt = now }
    code = result.code
    if code == nil {
      backoff.reset()
      dueAt = now + rest
    } else {
      dueAt = now + backoff.next()
      references = nil
    }
    failures = failures.filter { result.failures[$0.key] != nil || $0.value.until > now }
    for (stream, tip) in result.failures {
      var failure =
        failures[stream]
        ?? Failure(
          tip: tip,
          backoff: Backoff(
            first: Self.retryFirst, longest: Self.retryLongest, jitter: jitter), until: now)
      if failure.tip != tip {
        failure.tip = tip
        failure.backoff.reset()
      }
      failure.until = now + failure.backoff.next()
      failures[stream] = failure
    }
  }

  private var rest: Duration {
    // A look at files costs nothing that had to be spread.
    guard place != nil else { return poll }
    let part =
      Self.spread.lowerBound + (jitter() * 2 - 1)
      * (Self.spread.upperBound - Self.spread.lowerBound)
    return poll * part
  }

  private func isReminderDue(at now: ContinuousClock.Instant) -> Bool {
    saidAt.map { now - $0 >= Self.reminder } ?? true
  }

  // MARK: - What failed

  /// Whether a failure under this code has not been said yet, or not for long.
  func isNews(_ code: String?) -> Bool { code != self.code || isReminderDue(at: .now) }

  func isNews(_ stream: StreamName, at tip: ObjectID) -> Bool { failures[stream]?.tip != tip }

  /// What cannot be sent is tried again after a pause, or where it has moved.
  func isResting(_ stream: StreamName, at tip: ObjectID) -> Bool {
    failures[stream].map { $0.tip == tip && $0.until > .now } ?? false
  }
}
