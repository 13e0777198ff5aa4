import Git
import GitModel
package import MessageFormat
import Sodium

/// Sends to who says that it is behind what leads on from where it is.
///
/// Bounded: each attempt waits longer than the one before, and after the last one only a push begins anew. A machine that
/// is well for a while begins anew as well.
package struct Healing {
  package static let attemptCountMax = 8
  /// Before the second attempt, the third, and so on.
  private static let delaysMilliseconds: [UInt64] = [
    10_000, 60_000, 300_000, 1_800_000, 3_600_000,
  ]

  /// Who is behind again before it was well for so long has only said that it was.
  static let relapseMilliseconds: Int64 = 300_000

  private let sending: Sending
  private var outbox: Outbox { sending.outbox }

  package init(_ sending: Sending) { self.sending = sending }

  /// What one pass came to.
  package struct Result {
    package var sent: [Sending.Sent] = []
    fileprivate var attemptCount = 0
    /// When the next attempt is due.
    package var next: Timestamp?
    /// What kept us from sending to one; the others were not concerned.
    package var failures: [Failure] = []
  }

  package struct Failure {
    package let machine: String
    package let error: any Error
  }

  /// The state of a recipient in this respect, for people.
  package enum State: String, Sendable {
    case none
    /// It is to be sent what it misses.
    case due
    /// A message for it is on its way.
    case underway
    /// It keeps asking: nothing more is sent until the next push.
    case givenUp = "given up"
  }

  package static func state(of machine: Recipient) -> State {
    guard machine.asksForMore else { return .none }
    if machine.expected != nil { return .underway }
    return machine.healCount < attemptCountMax ? .due : .givenUp
  }

  /// Everyone whose turn it is, of these streams (`nil`: of all that are configured); or the first `countMax`, when the
  /// next one's turn is now.
  package func run(on streams: Set<StreamName>? = nil, countMax: Int = .max) throws -> Result {
    var result = Result()
    for configured in sending.settings.repositories {
      for branch in configured.branches {
        let name = configured.stream(branch)
        guard streams?.contains(name) ?? true else { continue }
        try heal(branch, of: configured, &result, countMax: countMax)
      }
    }
    return result
  }

  private func heal(
    _ branch: BranchName, of configured: SignerRepository, _ result: inout Result, countMax: Int
  ) throws {
    let recipients = Set(configured.recipients.map(\.mailbox))
    let waiting = try outbox.machines(of: configured.stream(branch)).filter {
      recipients.contains($0.recipient) && Self.state(of: $0) == .due
    }
    for machine in waiting {
      let turn = [machine.healAt, sending.now()].compactMap { $0 }.max()
      guard let turn, turn <= sending.now(), result.attemptCount < countMax else {
        result.next = [result.next, turn].compactMap { $0 }.min()
        continue
      }
      result.attemptCount += 1
      do {
        if let sent = try heal(machine, branch, of: configured) { result.sent.append(sent) }
      } catch {
        result.failures.append(Failure(machine: machine.name, error: error))
      }
    }
  }

  private func heal(
    _ machine: Recipient, _ branch: BranchName, of configured: SignerRepository
  ) throws -> Sending.Sent? {
    let delays = Self.delaysMilliseconds
    let delay = delays[min(machine.healCount, delays.count - 1)]
    // Counted first: what fails, or ends the program, is not tried for ever either.
    guard try outbox.beginHealing(machine, next: sending.now().adding(milliseconds: delay)),
      let recipient = configured.recipients.first(where: { $0.mailbox == machine.recipient })
    else { return nil }
    let stream = Stream(
      configured: configured, branch: branch, repository: try sending.open(configured))
    guard let target = try target(of: machine, on: stream) else { return nil }
    let base = try StartingPoints(stream: stream, outbox: outbox).report(of: machine, to: target)
    if case .unknown(let snapshot) = base,
      try outbox.hasRefusedReplacement(machine, of: snapshot.revision)
    {
      return nil
    }
    return try send(base ?? .nothing, to: target, on: stream, machine, recipient)
  }

  /// `nil`: the machine has more than this state remembers to have sent. The next push settles that.
  private func target(of machine: Recipient, on stream: Stream) throws -> ObjectID? {
    let repository = stream.repository
    let tip = try repository.referenceTarget(stream.branch.fullName)
    guard repository.objects.contains(machine.head) else { return tip }
    guard let tip, let revision = machine.revision, revision != machine.head,
      repository.objects.contains(revision),
      try !outbox.wasSent(revision, on: stream.name),
      try repository.isAncestor(machine.head, of: revision),
      try repository.isAncestor(revision, of: tip)
    else { return machine.head }
    return nil
  }

  private func send(
    _ base: Base, to target: ObjectID, on stream: Stream, _ machine: Recipient,
    _ recipient: PublicIdentity
  ) throws -> Sending.Sent? {
    do {
      return try sending.send(base, to: target, on: stream, for: [recipient])
    } catch let error as SignerError where error.isEmptyPatch {
      // Another commit with the same files: only a replacement may say that.
      guard let revision = machine.revision, revision != target, let tree = machine.tree else {
        return nil
      }
      let replaced = Base.unknown(Snapshot(revision: revision, tree: tree))
      return try sending.send(replaced, to: target, on: stream, for: [recipient])
    }
  }
}

extension Recipient {
  /// It is not where the stream is, and says so; a number that it has seen already says it too.
  var asksForMore: Bool {
    guard revision != head else { return false }
    return switch standing {
    case .behind: true
    case .refused: lastRefusal?.name == "replayed" || lastRefusal?.name == "forked"
    case .applied, .current, .blocked, nil: false
    }
  }
}
