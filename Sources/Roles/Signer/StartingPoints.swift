import Git
import GitModel
import MessageFormat
import Sodium

/// Which recipients start from which revision.
struct StartingPoints {
  struct Group {
    let base: Base
    var recipients: [PublicIdentity]
  }

  let stream: Stream
  let outbox: Outbox

  /// In the order of the configuration; who is expected to be at `after` is in none. Of whom nothing is known where nothing
  /// is to follow, a new machine for one, is given all.
  ///
  /// `old`: where to start for who never answered, when nothing was sent before.
  func groups(to after: ObjectID, old: ObjectID?) throws -> [Group] {
    let configured = stream.configured
    let machines = try outbox.machines(of: stream.name)
    let known = Dictionary(machines.map { ($0.recipient, $0) }) { first, _ in first }
    let last = try outbox.head(of: stream.name)?.revision
    var groups: [Group] = []
    for recipient in configured.recipients {
      let machine = known[recipient.mailbox]
      let known = try machine.flatMap { try expectation(of: $0, to: after) }
      guard known?.revision != after else { continue }
      var base = try known ?? fallback(last: last, old: old)
      if base.revision == after { base = .nothing }
      if let index = groups.firstIndex(where: { $0.base == base }) {
        groups[index].recipients.append(recipient)
      } else {
        groups.append(Group(base: base, recipients: [recipient]))
      }
    }
    return groups
  }

  /// `nil`: it never answered, or says something that nothing can start from.
  private func expectation(of machine: Recipient, to after: ObjectID) throws -> Base? {
    if let expected = machine.expected, try has(expected) { return .sent(expected) }
    return try report(of: machine, to: after)
  }

  /// What a recipient's own word is worth as a start; it must not make us compare with anything it names.
  func report(of machine: Recipient, to after: ObjectID) throws -> Base? {
    guard machine.standing != nil else { return nil }
    guard let revision = machine.revision else {
      return machine.standing == .behind ? .nothing : nil
    }
    if try has(revision) {
      if try outbox.wasSent(revision, on: stream.name) {
        return .sent(revision)
      }
      if try stream.repository.isAncestor(revision, of: after) { return .unsent(revision) }
    }
    return machine.tree.map { .unknown(Snapshot(revision: revision, tree: $0)) }
  }

  /// After a forced push and a clean-up, a revision that was sent may be gone.
  private func fallback(last: ObjectID?, old: ObjectID?) throws -> Base {
    if let last, try has(last) { return .sent(last) }
    return old.map { .sent($0) } ?? .nothing
  }

  private func has(_ revision: ObjectID) throws(GitError) -> Bool {
    guard stream.repository.objects.contains(revision) else { return false }
    return try stream.repository.objects.header(revision).kind == .commit
  }
}
