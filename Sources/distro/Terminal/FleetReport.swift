import Foundation
import MessageFormat
import Signer

/// The machines that a signer sends to, as lines for people and as JSON for machines.
enum FleetReport {
  /// A table for each stream, and below all of them what was not sent.
  static func text(
    _ fleet: Fleet, at now: Timestamp, staleSeconds: UInt64, _ style: TerminalStyle
  ) -> String {
    var streams: [StreamName] = []
    for row in fleet.rows where streams.last != row.recipient.stream {
      streams.append(row.recipient.stream)
    }
    let tables = streams.map { stream in
      table(
        fleet.rows.filter { $0.recipient.stream == stream }.map {
          FleetRow($0, staleSeconds: staleSeconds)
        }, of: stream, at: now, style)
    }
    let unsent = fleet.unsent.map { style.wrapped(sentence($0)).joined(separator: "\n") }
    return ((tables.isEmpty ? ["nothing was sent yet"] : tables) + unsent).joined(separator: "\n\n")
  }

  private static func sentence(_ unsent: Fleet.Unsent) -> String {
    let (branch, tip) = (unsent.stream.branch.shortName, unsent.tip.abbreviated)
    let what =
      switch unsent.distance {
      case .nothing: "was never sent"
      case .commits(1): "has a commit that was not sent"
      case .commits(let count) where count > 0: "has \(count) commits that were not sent"
      case .commits, .unknownRevision: "is not at what was sent"
      }
    return "\(branch) of \(unsent.stream.remote), at \(tip), \(what): "
      + "distro sign-and-send --ref \(branch) sends it"
  }

  /// Of one stream; never empty.
  private static func table(
    _ shown: [FleetRow], of stream: StreamName, at now: Timestamp, _ style: TerminalStyle
  ) -> String {
    let heading = [
      "\(stream.remote) \(stream.branch.shortName) at \(shown[0].recipient.head.abbreviated)",
      FleetRow.summary(shown),
    ]
    let isOneLine = heading.reduce(2) { $0 + $1.count } <= style.width
    let table = Table(
      ["MACHINE", "REVISION", "BEHIND", "SEEN", "STATE"], state: 4,
      shown.map { $0.tableRow(at: now) })
    return ((isOneLine ? [heading.joined(separator: ": ")] : heading) + table.lines(style))
      .joined(separator: "\n")
  }

  /// For JSON, one for each recipient.
  static func lines(_ fleet: Fleet, staleSeconds: UInt64) -> [Line] {
    fleet.rows.map { row in
      let unsent = fleet.unsent.first {
        $0.stream == row.recipient.stream
      }
      return Line(
        message: row.newest,
        recipient: Row(
          row, unsent, isUnseen: row.recipient.isUnseen(after: staleSeconds)))
    }
  }

  /// One object: the keys of the newest message to a machine, and those of the recipient.
  struct Line: Encodable {
    fileprivate let message: SentMessage?
    fileprivate let recipient: Row

    func encode(to encoder: any Encoder) throws {
      try message.map { StatusReport.Row($0) }?.encode(to: encoder)
      try recipient.encode(to: encoder)
    }
  }

  /// The keys are part of the interface; docs/reference/json.md lists them.
  fileprivate struct Row: Encodable {
    let remote: String
    let ref: String
    let recipient: String
    let recipientFingerprint: String
    let head: String
    /// Where the branch is in the repository, when that was not sent.
    let unsentTip: String?
    let revision: String?
    /// Absent: not known.
    let behind: Int?
    let standing: String?
    let blocked: String?
    let blockedDetail: String?
    let seen: String?
    /// Absent: it answers heartbeats.
    let unseen: Bool?
    let lastRefusal: String?
    let lastRefusalDetail: String?
    let lastRefused: String?
    let healing: String
    let healAttempts: Int
    let healAfter: String?

    init(_ row: Fleet.Row, _ unsent: Fleet.Unsent?, isUnseen: Bool) {
      let known = row.recipient
      remote = known.stream.remote.text
      ref = known.stream.branch.fullName
      recipient = known.name
      recipientFingerprint = known.mailbox.hex
      head = known.head.hex
      unsentTip = unsent?.tip.hex
      revision = known.revision?.hex
      behind = row.distance.commitCount
      standing = known.standing?.rawValue
      blocked = known.blocked?.name
      blockedDetail = known.blocked?.detail
      seen = known.seenAt.map { StatusReport.time($0) }
      unseen = isUnseen ? true : nil
      lastRefusal = known.lastRefusal?.name
      lastRefusalDetail = known.lastRefusal?.detail
      lastRefused = known.lastRefusal.map { StatusReport.time($0.at) }
      healing = row.healing.rawValue
      healAttempts = known.healCount
      healAfter = known.healAt.map { StatusReport.time($0) }
    }
  }
}
