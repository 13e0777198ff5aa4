import Foundation
import Hooks
import MessageFormat

/// What a role `hooks` has received, as lines for people and as JSON for machines.
enum HookReport {
  static func text(_ status: HookStatus, at now: Timestamp, _ style: TerminalStyle) -> String {
    let table = Table(
      ["HOOK", "HOST", "LAST EVENT", "RECEIVED", "WAITING", "HANDED OVER", "REFUSED"], state: 4,
      status.rows.map { row in
        let since = row.waitingSince.map { Quantity.age(of: $0, at: now) }
        return Table.Row(
          row.fault != nil ? .problem : row.waitingCount > 0 ? .pending : .well,
          [
            row.path, row.host.rawValue,
            row.receivedAt.map { "\(row.event ?? "?"), \(Quantity.age(of: $0, at: now))" }
              ?? "never",
            "\(row.receivedCount)", since.map { "\(row.waitingCount), \($0)" } ?? "-",
            row.handedOverAt.map { Quantity.age(of: $0, at: now) } ?? "never",
            "\(row.refusedCounts.values.reduce(0, +))",
          ],
          notes: [
            row.fault.map { "the signer has not taken it: \(Terminal.harmless($0))" },
            counts(row.refusedCounts).map { "refused: \($0)" },
          ].compactMap(\.self))
      })
    let strangers = counts(status.strangerCounts).map { ["requests to no hook: \($0)"] } ?? []
    return (table.lines(style) + strangers).joined(separator: "\n")
  }

  /// `401 twice` is less clear than `401: 2`.
  private static func counts(_ counts: [Int: Int]) -> String? {
    guard !counts.isEmpty else { return nil }
    return counts.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
      .joined(separator: ", ")
  }

  /// The keys are part of the interface; docs/reference/json.md lists them.
  struct Root: Encodable {
    let hooks: [Row]
    let strangers: [String: Int]

    init(_ status: HookStatus) {
      hooks = status.rows.map { Row($0) }
      strangers = HookReport.keyed(status.strangerCounts)
    }
  }

  struct Row: Encodable {
    let path: String
    let host: String
    let remote: String
    let received: Int
    let lastReceived: String?
    let lastEvent: String?
    let lastHandedOver: String?
    let waiting: Int
    let waitingSince: String?
    let fault: String?
    let refused: [String: Int]

    init(_ row: HookStatus.Row) {
      path = row.path
      host = row.host.rawValue
      remote = row.remote.text
      received = row.receivedCount
      lastReceived = row.receivedAt.map { StatusReport.time($0) }
      lastEvent = row.event
      lastHandedOver = row.handedOverAt.map { StatusReport.time($0) }
      waiting = row.waitingCount
      waitingSince = row.waitingSince.map { StatusReport.time($0) }
      fault = row.fault
      refused = HookReport.keyed(row.refusedCounts)
    }
  }

  private static func keyed(_ counts: [Int: Int]) -> [String: Int] {
    Dictionary(counts.map { ("\($0.key)", $0.value) }) { first, _ in first }
  }
}
