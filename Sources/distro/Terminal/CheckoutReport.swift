import Applier
import Foundation
import MessageFormat

/// An applier's checkouts, as lines for people and as JSON for machines.
enum CheckoutReport {
  static func text(_ status: ApplierStatus) -> String {
    var rows = [["PATH", "BRANCH", "REVISION", "HEARTBEAT", "STATE", "LAST REFUSAL"]]
    for checkout in status.checkouts {
      rows.append([
        checkout.settings.path, checkout.settings.stream.branch.shortName,
        checkout.revision?.abbreviated ?? "-",
        checkout.heartbeat.map { "\($0.revision.abbreviated) \(StatusReport.time($0.createdAt))" }
          ?? "none",
        state(of: checkout),
        checkout.lastRefusal.map {
          "\($0.name) \(StatusReport.time($0.at)): \(Terminal.harmless($0.detail))"
        } ?? "-",
      ])
    }
    let lines = [StatusReport.aligned(rows), "messages that wait: \(status.waitingCount)"]
    return (lines + status.strayRefusals.map { line($0) }).joined(separator: "\n")
  }

  private static func line(_ stray: ApplierStatus.StrayRefusal) -> String {
    let last = "\(StatusReport.time(stray.at)): \(Terminal.harmless(stray.detail))"
    let what = stray.isAboutClocks ? "clock differs from a signer's: " : ""
    return "\(what)\(stray.count) refused as \(stray.name), for no checkout; last \(last)"
  }

  private static func state(of checkout: CheckoutStatus) -> String {
    if let block = checkout.block {
      let since = "since \(StatusReport.time(block.since))"
      return "blocked \(since): \(block.reason.rawValue): \(Terminal.harmless(block.detail))"
    }
    let word = checkout.freshness.rawValue
    switch checkout.freshness {
    case .fresh: return word
    case .unheard: return "\(word): \(expectation(of: checkout))"
    case .stale: return checkout.staleness.map { "\(word): \($0)" } ?? word
    }
  }

  private static func expectation(of checkout: CheckoutStatus) -> String {
    guard checkout.settings.staleAfterSeconds != nil else { return "no heartbeat is expected" }
    let end = checkout.staleAt.map { ", stale from \(StatusReport.time($0)) on" }
    return "no heartbeat has come yet\(end ?? "")"
  }

  /// The keys are part of the interface; docs/reference/json.md lists them.
  struct Root: Encodable {
    fileprivate let stale: Bool
    fileprivate let blocked: Bool
    fileprivate let strayRefusals: [StrayRow]
    fileprivate let waiting: Int
    fileprivate let checkouts: [Row]

    init(_ status: ApplierStatus) {
      stale = status.isStale
      blocked = status.checkouts.contains { $0.block != nil }
      waiting = status.waitingCount
      strayRefusals = status.strayRefusals.map { StrayRow($0) }
      checkouts = status.checkouts.map { Row($0) }
    }
  }

  fileprivate struct StrayRow: Encodable {
    let refusal: String
    let count: UInt64
    let last: String
    let detail: String

    init(_ stray: ApplierStatus.StrayRefusal) {
      (refusal, count, detail) = (stray.name, stray.count, stray.detail)
      last = StatusReport.time(stray.at)
    }
  }

  fileprivate struct Row: Encodable {
    let path: String
    let remote: String
    let ref: String
    let revision: String?
    let freshness: String
    let stale: String?
    let staleDetail: String?
    let newest: String?
    let sequence: UInt64?
    let heartbeat: String?
    let heartbeatExpires: String?
    let refusal: String?
    let refusalDetail: String?
    let refused: String?
    let blocked: String?
    let blockedDetail: String?
    let blockedSince: String?

    init(_ checkout: CheckoutStatus) {
      path = checkout.settings.path
      remote = checkout.settings.stream.remote.text
      ref = checkout.settings.stream.branch.fullName
      revision = checkout.revision?.hex
      freshness = checkout.freshness.rawValue
      stale = checkout.staleness?.name
      staleDetail = checkout.staleness.map { "\($0)" }
      newest = checkout.heartbeat?.revision.hex
      sequence = checkout.heartbeat?.sequence
      heartbeat = checkout.heartbeat.map { StatusReport.time($0.createdAt) }
      heartbeatExpires = checkout.heartbeat.map { StatusReport.time($0.expiresAt) }
      refusal = checkout.lastRefusal?.name
      refusalDetail = checkout.lastRefusal?.detail
      blocked = checkout.block?.reason.rawValue
      blockedDetail = checkout.block?.detail
      blockedSince = checkout.block.map { StatusReport.time($0.since) }
      refused = checkout.lastRefusal.map { StatusReport.time($0.at) }
    }
  }
}
