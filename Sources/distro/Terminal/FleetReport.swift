import Foundation
import MessageFormat
import Signer

/// The machines that a signer sends to, as lines for people and as JSON for machines.
enum FleetReport {
  /// A table with a heading, times in UTC, and below it what was not sent.
  static func text(_ fleet: Fleet) -> String {
    let machines = fleet.rows.isEmpty ? "nothing was sent yet" : table(fleet)
    return ([machines] + fleet.unsent.map { line($0) }).joined(separator: "\n")
  }

  private static func line(_ unsent: Fleet.Unsent) -> String {
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

  private static func table(_ fleet: Fleet) -> String {
    var rows = [
      ["REMOTE", "BRANCH", "MACHINE", "REVISION", "BEHIND", "SEEN", "STATE", "LAST REFUSAL"]
    ]
    for row in fleet.rows {
      let recipient = row.recipient
      rows.append([
        recipient.stream.remote.text, recipient.stream.branch.shortName, recipient.name,
        recipient.revision?.abbreviated ?? "-", row.distance.text,
        recipient.seenAt.map { StatusReport.time($0) } ?? "never", state(of: row),
        recipient.lastRefusal.map {
          "\($0.name) \(StatusReport.time($0.at)): \(Terminal.harmless($0.detail))"
        } ?? "-",
      ])
    }
    return StatusReport.aligned(rows)
  }

  private static func state(of row: Fleet.Row) -> String {
    // What it refused does not matter where it has the files of what came after.
    let isWell = row.recipient.standing != nil && row.recipient.isUpToDate
    let newest =
      row.newest.map { message in
        let isMoot = isWell && [.refused, .behind, .superseded].contains(message.state)
        return isMoot ? "up to date" : StatusReport.shortState(of: message)
      } ?? "nothing sent yet"
    if let blocked = row.recipient.blocked {
      return "blocked: \(blocked.name): \(Terminal.harmless(blocked.detail))"
    }
    switch row.healing {
    case .none: return newest
    case .underway: return "\(newest); healing, attempt \(row.recipient.healCount)"
    case .due:
      let when = row.recipient.healAt.map { " after \(StatusReport.time($0))" } ?? ""
      return "\(newest); to be healed\(when), \(row.recipient.healCount) attempts so far"
    case .givenUp: return "\(newest); healing given up after \(row.recipient.healCount) attempts"
    }
  }

  /// For JSON, one for each recipient.
  static func lines(_ fleet: Fleet) -> [Line] {
    fleet.rows.map { row in
      let unsent = fleet.unsent.first {
        $0.stream == row.recipient.stream
      }
      return Line(message: row.newest, recipient: Row(row, unsent))
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
    let lastRefusal: String?
    let lastRefusalDetail: String?
    let lastRefused: String?
    let healing: String
    let healAttempts: Int
    let healAfter: String?

    init(_ row: Fleet.Row, _ unsent: Fleet.Unsent?) {
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
      lastRefusal = known.lastRefusal?.name
      lastRefusalDetail = known.lastRefusal?.detail
      lastRefused = known.lastRefusal.map { StatusReport.time($0.at) }
      healing = row.healing.rawValue
      healAttempts = known.healCount
      healAfter = known.healAt.map { StatusReport.time($0) }
    }
  }
}
