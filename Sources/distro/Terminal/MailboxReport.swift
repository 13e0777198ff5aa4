import Foundation
import MessageFormat
import Relay

/// What waits at a relay, as lines for people and as JSON for machines.
enum MailboxReport {
  static func text(_ rows: [RelayStatus.Row], at now: Timestamp, _ style: TerminalStyle) -> String {
    Table(
      ["ROLE", "MESSAGES", "SIZE", "OLDEST", "UNFINISHED", "IDENTITY"], state: 0,
      rows.map { row in
        Table.Row(
          .well,
          [
            row.role.rawValue, "\(row.waiting.messageCount)",
            Quantity.bytes(row.waiting.byteCount),
            row.waiting.oldest.map { Quantity.age(of: $0, at: now) } ?? "-",
            row.unfinishedByteCount == 0 ? "-" : Quantity.bytes(row.unfinishedByteCount), name(row),
          ])
      }
    ).lines(style).joined(separator: "\n")
  }

  private static func name(_ row: RelayStatus.Row) -> String {
    row.name?.text ?? row.mailbox.abbreviated
  }

  /// The keys are part of the interface; docs/reference/json.md lists them.
  struct Row: Encodable {
    let identity: String
    let fingerprint: String
    let role: String
    let waiting: UInt64
    let bytes: UInt64
    let oldest: String?
    let unfinished: UInt64

    init(_ row: RelayStatus.Row) {
      identity = MailboxReport.name(row)
      fingerprint = row.mailbox.hex
      role = row.role.rawValue
      waiting = row.waiting.messageCount
      bytes = row.waiting.byteCount
      oldest = row.waiting.oldest.map { StatusReport.time($0) }
      unfinished = row.unfinishedByteCount
    }
  }
}
