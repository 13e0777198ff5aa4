import Git
import GitModel
package import MessageFormat
import Sodium

/// Sends recipients that say that they are behind what leads on from where they are: one message for all that are at the
/// same revision. The stream's head stays where it is.
package struct Healing {
  package static let attemptCountMax = HealingBudget.attemptCountMax
  /// Pushes that overtake one pass begin it anew so often.
  private static let roundCountMax = 5

  private let sending: Sending
  private var outbox: Outbox { sending.outbox }

  package init(_ sending: Sending) { self.sending = sending }

  /// What one pass came to.
  package struct Pass {
    package var sent: [SentPatch] = []
    /// When the next attempt is due.
    package var next: Timestamp?
    /// What kept us from sending to some; the others were not concerned.
    package var failures: [Failure] = []
  }

  package struct Failure {
    package let recipient: String
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

  package static func state(of recipient: Recipient) -> State {
    guard recipient.asksForMore else { return .none }
    if recipient.expected != nil { return .underway }
    return recipient.healCount < attemptCountMax ? .due : .givenUp
  }

  /// Every recipient whose turn it is, of these streams (`nil`: of all that are configured).
  package func run(on streams: Set<StreamName>? = nil) throws -> Pass {
    var pass = Pass()
    let strays = Dictionary(grouping: try outbox.strays(of: streams), by: \.stream)
    for (name, strays) in strays {
      guard let configured = sending.settings.repositories.source(of: name)
      else { continue }
      let recipients = Set(configured.recipients.map(\.mailbox))
      let due = strays.filter { recipients.contains($0.mailbox) && Self.state(of: $0) == .due }
      let now = sending.now()
      let turn = due.filter { HealingBudget.isDue($0.healAt, at: now) }
      for recipient in due where !HealingBudget.isDue(recipient.healAt, at: now) {
        pass.next = [pass.next, recipient.healAt].compactMap { $0 }.min()
      }
      heal(turn, name.branch, of: configured, &pass)
    }
    return pass
  }

  private func heal(
    _ due: [Recipient], _ branch: BranchName, of configured: SignerRepository, _ pass: inout Pass
  ) {
    guard !due.isEmpty else { return }
    do {
      // Counted first: what fails, or ends the program, is not tried for ever either.
      let begun = Set(
        try due.filter { try outbox.beginHealing($0, at: sending.now()) }.map(\.mailbox))
      let stream = try sending.stream(branch, of: configured)
      var paid: Set<Mailbox> = []
      for _ in 0..<Self.roundCountMax {
        do {
          return try heal(begun, on: stream, &paid, &pass)
        } catch SignerError.streamMoved {
          continue
        }
      }
    } catch {
      for recipient in due {
        pass.failures.append(Failure(recipient: recipient.name, error: error))
      }
    }
  }

  /// Throws `streamMoved` where a push came in between: what it brought is the new head.
  private func heal(
    _ mailboxes: Set<Mailbox>, on stream: Stream, _ paid: inout Set<Mailbox>, _ pass: inout Pass
  ) throws {
    guard var head = try outbox.head(of: stream.name) else { return }
    guard stream.repository.objects.contains(head.revision) else {
      // What was sent is gone from the repository: there is only the tip to be brought to.
      pass.sent += try sending.send(stream.branch, of: stream.configured).sent
      return
    }
    let strays = try outbox.strays(of: [stream.name]).filter {
      mailboxes.contains($0.mailbox) && $0.asksForMore
    }
    let identities = Dictionary(
      stream.configured.recipients.map { ($0.mailbox, $0) }
    ) { first, _ in first }
    var groups: [Base: [PublicIdentity]] = [:]
    for stray in strays {
      guard let base = try base(of: stray, behind: head, on: stream, &paid),
        let identity = identities[stray.mailbox]
      else { continue }
      groups[base, default: []].append(identity)
    }
    for (base, recipients) in groups {
      do {
        let patch = try sending.prepare(base, to: head.revision, on: stream)
        for group in StartingPoints.split(recipients, from: base) {
          let sent: SentPatch
          (sent, head) = try sending.seal(
            patch, for: group.recipients, on: stream, behind: head,
            requiring: HeadRequirement(stream: stream.name, head: head) { _ in true },
            movesHead: false)
          pass.sent.append(sent)
        }
      } catch let error as SignerError where error.isEmptyPatch {
        continue
      } catch let error as SignerError where error.isStreamMoved {
        throw error
      } catch {
        for recipient in recipients {
          pass.failures.append(Failure(recipient: recipient.name.text, error: error))
        }
      }
    }
  }

  /// `nil`: nothing is to be sent to it.
  private func base(
    of stray: Recipient, behind head: StreamHead, on stream: Stream, _ paid: inout Set<Mailbox>
  ) throws -> Base? {
    guard try !isAhead(stray, of: head, on: stream) else { return nil }
    var base =
      try StartingPoints(stream: stream, outbox: outbox).report(of: stray, to: head.revision)
      ?? .nothing
    if case .sent(let revision) = base, let tree = stray.tree,
      try outbox.hasRefused(stray, from: revision, as: .invalidPack)
    {
      // It has lost older objects, which a pack from there takes for granted.
      base = .unknown(Snapshot(revision: revision, tree: tree))
    }
    switch base {
    case .sent, .unsent: return base
    case .unknown(let snapshot):
      // Someone's own commit is there, which must not be replaced: asking once is enough.
      guard try !outbox.hasRefused(stray, from: snapshot.revision, as: .foreignCommit) else {
        return nil
      }
    case .nothing: break
    }
    let now = sending.now()
    if !paid.contains(stray.mailbox) {
      let isPaid = try outbox.writing {
        try HealingBudget.takeFullPack(for: stray, at: now, in: $0)
      }
      guard isPaid else { return nil }
      paid.insert(stray.mailbox)
    }
    return base
  }

  /// The recipient has more than this state remembers to have sent. The next push settles that.
  private func isAhead(
    _ stray: Recipient, of head: StreamHead, on stream: Stream
  ) throws -> Bool {
    let repository = stream.repository
    guard let tip = try repository.referenceTarget(stream.branch.fullName),
      let revision = stray.revision, revision != head.revision,
      repository.objects.contains(revision)
    else { return false }
    return try !outbox.wasSent(revision, on: stream.name)
      && repository.isAncestor(head.revision, of: revision)
      && repository.isAncestor(revision, of: tip)
  }
}
