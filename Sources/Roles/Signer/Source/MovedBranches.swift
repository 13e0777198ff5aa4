import Git
import GitModel
import MessageFormat

/// Brings into the outbox what has moved in a repository, whatever said that something has: the branches themselves are
/// looked at. Belongs to one thread.
struct MovedBranches {
  let sending: Sending
  let turns: StreamTurns

  /// What became of one branch that was not where it was at the last look.
  struct Move {
    let entry: SignerRepository
    let branch: BranchName
    let tip: ObjectID
    let outcome: Result<SendOutcome, any Error>

    var stream: StreamName { entry.stream(branch) }
  }

  /// `entries`: all of one source. One branch that cannot be sent keeps none of the others.
  func send(
    _ entries: [SignerRepository],
    unless isResting: (StreamName, ObjectID) -> Bool = { _, _ in false }
  ) throws -> [Move] {
    guard let path = entries.first?.path else { return [] }
    let repository = try Repository(opening: path)
    var moves: [Move] = []
    for (_, entries) in Dictionary(grouping: entries, by: \.remote) {
      var sent: Set<BranchName> = []
      for entry in entries {
        let tips = try entry.branches.tips(in: repository)
        for (branch, tip) in tips.sorted(by: { $0.key.fullName < $1.key.fullName }) {
          // Of several entries, the first one that has the branch sends it.
          guard sent.insert(branch).inserted, !isResting(entry.stream(branch), tip),
            try sending.outbox.seenTip(of: entry.stream(branch)) != tip
          else { continue }
          moves.append(
            Move(
              entry: entry, branch: branch, tip: tip,
              outcome: Result { try send(branch, at: tip, of: entry) }))
        }
      }
    }
    return moves
  }

  private func send(
    _ branch: BranchName, at tip: ObjectID, of entry: SignerRepository
  ) throws -> SendOutcome {
    try turns.take(on: entry.stream(branch)) {
      let outcome = try sending.send(branch, of: entry)
      // It may have moved on meanwhile, which is a move of its own.
      try sending.outbox.markSeen(outcome.target.revision, of: outcome.stream)
      return outcome
    }
  }
}
