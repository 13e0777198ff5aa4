import Diagnostics
import Foundation
import Host
import Logging
import MessageFormat

/// Looks at the checkouts whenever nothing is to be done, and when it is time: says so once where one becomes stale or
/// fresh again, and writes the metrics.
final class Watch {
  /// A checkout can be moved by hand, which nobody tells us.
  private static let intervalMillisecondsMax: UInt64 = 60_000

  private let settings: ApplierSettings
  private let inbox: Inbox
  private let log: Logger
  private var isStarted = false
  private var nextLook: Timestamp?
  /// By path; what was said last.
  private var said: [String: Staleness] = [:]
  private var written: String?

  init(_ settings: ApplierSettings, inbox: Inbox, log: Logger) {
    self.settings = settings
    self.inbox = inbox
    self.log = log
  }

  /// Answers when to look again at the latest; `nil`: there is nothing to watch.
  func look(at now: Timestamp) throws -> Timestamp? {
    if !isStarted {
      try inbox.watch(settings.checkouts, since: now)
      isStarted = true
    }
    let status = try ApplierStatus(settings, inbox, now: now)
    for checkout in status.checkouts { say(checkout) }
    if let path = settings.metrics { write(Metrics.text(status), to: path) }
    let ends = status.checkouts.compactMap(\.staleAt)
    let latest = now.adding(milliseconds: Self.intervalMillisecondsMax)
    nextLook = (ends.filter { $0 > now } + [latest]).min()
    return ends.isEmpty && settings.metrics == nil ? nil : nextLook
  }

  /// For while there is something to do: a carrier whose messages never end must not keep this quiet.
  func lookIfDue(at now: Timestamp) throws {
    let latest = now.adding(milliseconds: Self.intervalMillisecondsMax)
    guard let next = nextLook, next <= latest else { return nextLook = latest }
    if next <= now { _ = try look(at: now) }
  }

  private func say(_ checkout: CheckoutStatus) {
    let path = checkout.settings.path
    guard said[path] != checkout.staleness else { return }
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
