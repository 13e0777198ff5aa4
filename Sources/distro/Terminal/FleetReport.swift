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
      let machine = row.machine
      rows.append([
        machine.stream.remote.text, machine.stream.branch.shortName, machine.name,
        machine.revision?.abbreviated ?? "-", row.distance.text,
        machine.seenAt.map { StatusReport.time($0) } ?? "never", state(of: row),
        machine.lastRefusal.map {
          "\($0.name) \(StatusReport.time($0.at)): \(Terminal.harmless($0.detail))"
        } ?? "-",
      ])
    }
    return StatusReport.aligned(rows)
  }

  private static func state(of row: Fleet.Row) -> String {
    let newest = row.newest.map { StatusReport.shortState(of: $0) } ?? "nothing sent yet"
    switch row.healing {
    case .none: return newest
    case .underway: return "\(newest); healing, attempt \(row.machine.healCount)"
    case .due:
      let when = row.machine.healAt.map { " after \(StatusReport.time($0))" } ?? ""
      return "\(newest); to be healed\(when), \(row.machine.healCount) attempts so far"
    case .givenUp: return "\(newest); healing given up after \(row.machine.healCount) attempts"
    }
  }

  /// For JSON, one for each machine.
  static func lines(_ fleet: Fleet) -> [Line] {
    fleet.rows.map { row in
      let unsent = fleet.unsent.first {
        $0.stream == row.machine.stream
      }
      return Line(message: row.newest, machine: Row(row, unsent))
    }
  }

  /// One object: the keys of the newest message to a machine, and those of the machine.
  struct Line: Encodable {
    fileprivate let message: SentMessage?
    fileprivate let machine: Row

    func encode(to encoder: any Encoder) throws {
      try message.map { StatusReport.Row($0) }?.encode(to: encoder)
      try machine.encode(to: encoder)
    }
  }

  /// The keys are part of the interface; README.md lists them.
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
    let seen: String?
    let lastRefusal: String?
    let lastRefusalDetail: String?
    let lastRefused: String?
    let healing: String
    let healAttempts: Int
    let healAfter: String?

    init(_ row: Fleet.Row, _ unsent: Fleet.Unsent?) {
      let machine = row.machine
      remote = machine.stream.remote.text
      ref = machine.stream.branch.fullName
      recipient = machine.name
      recipientFingerprint = machine.recipient.hex
      head = machine.head.hex
      unsentTip = unsent?.tip.hex
      revision = machine.revision?.hex
      behind = row.distance.commitCount
      standing = machine.standing?.rawValue
      seen = machine.seenAt.map { StatusReport.time($0) }
      lastRefusal = machine.lastRefusal?.name
      lastRefusalDetail = machine.lastRefusal?.detail
      lastRefused = machine.lastRefusal.map { StatusReport.time($0.at) }
      healing = row.healing.rawValue
      healAttempts = machine.healCount
      healAfter = machine.healAt.map { StatusReport.time($0) }
    }
  }
}
