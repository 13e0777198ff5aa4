import Applier
import Foundation
import MessageFormat

/// An applier's checkouts, as lines for people and as JSON for machines.
enum CheckoutReport {
  static func text(_ status: ApplierStatus, at now: Timestamp, _ style: TerminalStyle) -> String {
    let table = Table(
      ["STATE", "BRANCH", "REVISION", "HEARTBEAT", "PATH"], state: 0,
      status.checkouts.map { row($0, at: now) })
    let waiting = status.waitingCount
    var lines = table.lines(style)
    if waiting > 0 {
      lines.append("\(waiting) \(waiting == 1 ? "message waits" : "messages wait")")
    }
    for stray in status.strayRefusals { lines += style.wrapped(sentence(stray, at: now)) }
    return lines.joined(separator: "\n")
  }

  private static func row(_ checkout: CheckoutStatus, at now: Timestamp) -> Table.Row {
    let isBlocked = checkout.block != nil
    let tone: Table.Tone =
      switch checkout.freshness {
      case _ where isBlocked: .problem
      case .stale: .problem
      case .unheard: .pending
      case .fresh: .well
      }
    return Table.Row(
      tone,
      [
        isBlocked ? "blocked" : checkout.freshness.rawValue,
        checkout.settings.stream.branch.shortName,
        checkout.revision?.abbreviated ?? "-",
        checkout.heartbeat.map { Quantity.age(of: $0.createdAt, at: now) } ?? "none",
        checkout.settings.path,
      ], notes: notes(checkout, at: now))
  }

  private static func notes(_ checkout: CheckoutStatus, at now: Timestamp) -> [String] {
    var notes: [String] = []
    if let block = checkout.block {
      let since = Quantity.age(of: block.since, at: now)
      notes.append("blocked \(since): \(block.reason.rawValue): \(Terminal.harmless(block.detail))")
    }
    switch checkout.freshness {
    case .fresh: break
    case .unheard: notes.append("unheard: \(expectation(of: checkout, at: now))")
    case .stale: if let staleness = checkout.staleness { notes.append("stale: \(staleness)") }
    }
    if let refusal = checkout.lastRefusal {
      let when = Quantity.age(of: refusal.at, at: now)
      notes.append("last refusal, \(when): \(refusal.name): \(Terminal.harmless(refusal.detail))")
    }
    return notes
  }

  private static func sentence(_ stray: ApplierStatus.StrayRefusal, at now: Timestamp) -> String {
    let last = "\(Quantity.age(of: stray.at, at: now)): \(Terminal.harmless(stray.detail))"
    let what = stray.isAboutClocks ? "clock differs from a signer's: " : ""
    return "\(what)\(stray.count) refused as \(stray.name), for no checkout; last \(last)"
  }

  private static func expectation(of checkout: CheckoutStatus, at now: Timestamp) -> String {
    guard checkout.settings.staleAfterSeconds != nil else { return "no heartbeat is expected" }
    let end = checkout.staleAt.map { ", stale \(Quantity.wait(until: $0, at: now))" }
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
