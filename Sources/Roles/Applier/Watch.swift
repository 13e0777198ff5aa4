import Diagnostics
import Foundation
import Host
import Logging
import MessageFormat

/// Looks at a checkout when something was done there, when it may become stale, and every ninety seconds: says so once where one
/// becomes stale or fresh again, and writes the metrics.
final class Watch {
  /// A checkout can be moved by hand, without notice to us. Longer than heartbeats are apart by default: those look, too.
  private static let intervalMillisecondsMax: UInt64 = 90_000
  /// Metrics name every checkout: not for each heartbeat, unless one becomes stale or fresh.
  private static let metricsIntervalMilliseconds: UInt64 = 10_000

  private struct Look {
    let status: CheckoutStatus
    /// By the clock since the machine's start, as are the other times here.
    let next: UInt64
  }

  private let settings: ApplierSettings
  private let inbox: Inbox
  private let log: Logger
  private var isStarted = false
  private var touched: [String: CheckoutFinding] = [:]
  private var looks: [String: Look] = [:]
  private var nextLook: UInt64 = 0
  private var nextMetrics: UInt64 = 0
  /// By path; what was said last.
  private var said: [String: Staleness] = [:]
  private var written: String?

  init(_ settings: ApplierSettings, inbox: Inbox, log: Logger) {
    self.settings = settings
    self.inbox = inbox
    self.log = log
  }

  func touch(_ paths: [String: CheckoutFinding]) { touched.merge(paths) { $1 } }

  /// Answers when to look again at the latest; `nil`: there is nothing to watch.
  func look(at moment: Moment) throws -> Duration? {
    if !isStarted {
      try inbox.watch(settings.checkouts, since: moment)
      isStarted = true
    }
    let now = moment.sinceBoot.milliseconds
    var isNews = false
    if now >= nextLook || !touched.isEmpty {
      for checkout in settings.checkouts where isDue(checkout, now) {
        let status = try CheckoutStatus(
          checkout, inbox: inbox, now: moment, finding: touched[checkout.path] ?? .unknown)
        let end = min(status.remainingMilliseconds ?? .max, Self.intervalMillisecondsMax)
        looks[checkout.path] = Look(status: status, next: now + max(1, end))
        isNews = say(status) || isNews
      }
      touched = [:]
      nextLook = looks.values.map(\.next).min() ?? now + Self.intervalMillisecondsMax
    }
    try writeMetrics(now, isNews: isNews)
    let isWatched = looks.values.contains { $0.status.remainingMilliseconds != nil }
    guard isWatched || settings.metrics != nil else { return nil }
    return .milliseconds(Int64(clamping: nextLook - min(now, nextLook)))
  }

  /// For while there is something to do: a carrier whose messages never end must not keep this quiet.
  func lookIfDue(at moment: Moment) throws {
    let now = moment.sinceBoot.milliseconds
    if !isStarted { nextLook = now + Self.intervalMillisecondsMax }
    if isStarted, now >= nextLook { _ = try look(at: moment) }
  }

  private func isDue(_ checkout: CheckoutSettings, _ now: UInt64) -> Bool {
    touched[checkout.path] != nil || (looks[checkout.path]?.next ?? 0) <= now
  }

  private func writeMetrics(_ now: UInt64, isNews: Bool) throws {
    guard let path = settings.metrics, isNews || now >= nextMetrics else { return }
    nextMetrics = now + Self.metricsIntervalMilliseconds
    let statuses = settings.checkouts.compactMap { looks[$0.path]?.status }
    write(Metrics.text(try ApplierStatus(statuses, inbox)), to: path)
  }

  /// Whether it is news.
  private func say(_ checkout: CheckoutStatus) -> Bool {
    let path = checkout.settings.path
    guard said[path] != checkout.staleness else { return false }
    said[path] = checkout.staleness
    if let staleness = checkout.staleness {
      log.report(
        .stale,
        [
          "checkout": "\(path)", "reason": "\(staleness.name)", "detail": "\(staleness)",
          "revision": "\(checkout.revision?.abbreviated ?? "nothing")",
        ])
    } else {
      log.report(.fresh, ["checkout": "\(path)"])
    }
    return true
  }

  /// Patches are applied, whether or not anyone can be told how many.
  private func write(_ text: String, to path: String) {
    guard text != written else { return }
    do {
      try Metrics.write(text, to: path)
      written = text
    } catch {
      let reason = (error as? CocoaError)?.fault ?? "\(error)"
      log.report(.metricsFailed, ["path": "\(path)", "error": "\(reason)"])
    }
  }
}
