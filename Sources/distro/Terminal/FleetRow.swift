import MessageFormat
import Signer

/// One machine of a stream, as `distro status` shows it to people.
struct FleetRow {
  private let row: Fleet.Row
  var recipient: Recipient { row.recipient }
  /// A word or a few.
  private let state: String
  private let tone: Table.Tone

  /// `staleSeconds`: one that has not answered heartbeats for so long is unseen.
  init(_ row: Fleet.Row, staleSeconds: UInt64) {
    self.row = row
    (state, tone) =
      row.recipient.isUnseen(after: staleSeconds)
      ? ("does not answer", .problem) : Self.state(of: row)
  }

  /// `38 of 40 up to date, 1 refused, 1 on its way`.
  static func summary(_ rows: [Self]) -> String {
    let well = rows.count { $0.tone == .well }
    let others = Dictionary(grouping: rows.filter { $0.tone != .well }, by: \.state)
      .sorted { ($0.value[0].tone.rawValue, $0.key) < ($1.value[0].tone.rawValue, $1.key) }
    return
      (["\(well) of \(rows.count) up to date"]
      + others.map { "\($0.value.count) \($0.key)" }).joined(separator: ", ")
  }

  func tableRow(at now: Timestamp) -> Table.Row {
    Table.Row(
      tone,
      [
        recipient.name, recipient.revision?.abbreviated ?? "-", row.distance.text,
        recipient.seenAt.map { Quantity.age(of: $0, at: now) } ?? "never", state,
      ], notes: notes(at: now))
  }

  private static func state(of row: Fleet.Row) -> (String, Table.Tone) {
    let recipient = row.recipient
    if recipient.blocked != nil { return ("blocked", .problem) }
    // What it refused does not matter where it has the files of what came after.
    if recipient.standing != nil, recipient.isUpToDate { return ("up to date", .well) }
    switch row.newest?.state {
    case .refused: return ("refused", .problem)
    case .behind: return ("behind", row.healing == .givenUp ? .problem : .pending)
    case .waiting: return ("waits in the outbox", .pending)
    case .stored: return ("on its way", .pending)
    // Applied, and then the checkout was changed, or the branch was.
    case .applied, .superseded: return ("behind", .pending)
    case nil: return ("nothing sent yet", .pending)
    }
  }

  private func notes(at now: Timestamp) -> [String] {
    var notes: [String] = []
    if let blocked = recipient.blocked {
      notes.append("\(blocked.name): \(Terminal.harmless(blocked.detail))")
    } else if tone != .well, let refusal = recipient.lastRefusal {
      let when = Quantity.age(of: refusal.at, at: now)
      notes.append("refused \(when): \(refusal.name): \(Terminal.harmless(refusal.detail))")
    }
    switch row.healing {
    case .none: break
    case .underway:
      notes.append("missing changes are on their way, attempt \(recipient.healCount)")
    case .due:
      let when = recipient.healAt.map { Quantity.wait(until: $0, at: now) } ?? "now"
      notes.append("missing changes are sent \(when); attempts so far: \(recipient.healCount)")
    case .givenUp:
      notes.append(
        "gave up after \(recipient.healCount) attempts; the next push, or "
          + "distro sign-and-send --ref \(recipient.stream.branch.shortName), tries again")
    }
    return notes
  }
}
