import Git
package import GitModel
package import MessageFormat

/// What has become of branches that were to be brought to a revision, recipient by recipient.
package struct Arrivals: Sendable {
  /// A branch, and where it was to be brought.
  package struct Goal: Sendable {
    let stream: StreamName
    let target: Snapshot
    /// Of the newest message when the goal was set: an answer to it, or to a later one, is an answer to this.
    let sequence: UInt64
    /// What a recipient has was to be replaced: one that refuses does not get there by having the files.
    let replaces: Bool
    let recipients: Set<Mailbox>

    package init(
      stream: StreamName, target: Snapshot, sequence: UInt64, replaces: Bool = false,
      recipients: Set<Mailbox>
    ) {
      (self.stream, self.target, self.sequence) = (stream, target, sequence)
      (self.replaces, self.recipients) = (replaces, recipients)
    }
  }

  package enum State: String, Sendable, Codable {
    /// It has the files of the target, or of what the branch was brought to since.
    case upToDate = "up-to-date"
    /// An answer is still to come, or what it misses is still to be sent.
    case underway
    case refused
    /// It is elsewhere, or was never heard of, and nothing is on its way to it.
    case behind
  }

  /// The last word on one recipient of one branch.
  package struct Arrival: Sendable, Codable {
    package let name: String
    package let recipient: Mailbox
    package let branch: BranchName
    package let target: ObjectID
    package let state: State
    /// What it was sent last.
    package let message: SentMessage?
  }

  package enum Verdict: String, Sendable, Codable {
    /// Enough recipients of each branch are up to date.
    case applied
    /// Too few can be, since the others refused.
    case refused
    case open
  }

  package let arrivals: [Arrival]
  package let verdict: Verdict

  /// `quorum`: how many recipients of a branch are enough; `nil`: all of them.
  package init(
    _ outbox: Outbox, _ settings: SignerSettings, _ goals: [Goal], quorum: Int?
  ) throws {
    var verdict = Verdict.applied
    var arrivals: [Arrival] = []
    for goal in goals {
      let found = try Self.arrivals(outbox, settings, goal)
      arrivals += found
      let arrived = found.count { $0.state == .upToDate }
      let refused = found.count { $0.state == .refused }
      let needed = quorum ?? found.count
      if arrived >= needed { continue }
      if found.count - refused < needed {
        verdict = .refused
      } else if verdict == .applied {
        verdict = .open
      }
    }
    self.arrivals = arrivals
    self.verdict = verdict
  }

  private static func arrivals(
    _ outbox: Outbox, _ settings: SignerSettings, _ goal: Goal
  ) throws -> [Arrival] {
    let known = Dictionary(
      try outbox.recipients(of: goal.stream).map { ($0.mailbox, $0) }
    ) { first, _ in first }
    let newest = Dictionary(
      try outbox.newest(of: goal.stream).map { ($0.recipient, $0) }
    ) { first, _ in first }
    let configured = settings.repositories.first { $0.sends(goal.stream) }
    return (configured?.recipients ?? []).filter { goal.recipients.contains($0.mailbox) }
      .map { identity in
        let recipient = known[identity.mailbox]
        return Arrival(
          name: identity.name.text, recipient: identity.mailbox, branch: goal.stream.branch,
          target: goal.target.revision, state: recipient.map { $0.state(towards: goal) } ?? .behind,
          message: newest[identity.mailbox])
      }
  }
}

extension Recipient {
  fileprivate func state(towards goal: Arrivals.Goal) -> Arrivals.State {
    let isThere = isUpToDate || has(goal.target)
    let isAnswered = expected == nil || sequence >= goal.sequence
    if isAnswered, isUnhealthy || goal.replaces && standing == .refused { return .refused }
    if standing != nil, isThere, isAnswered { return .upToDate }
    // It has got where the branch was brought to since, and may have more on its way: that is for those who sent that.
    if standing == .applied || standing == .current, sequence >= goal.sequence { return .upToDate }
    if expected != nil || Healing.state(of: self) == .due { return .underway }
    return standing == .refused ? .refused : .behind
  }
}
