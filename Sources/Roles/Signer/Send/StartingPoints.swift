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

  /// In the order of the configuration, at most `Limits.recipientCountMax` in each; a recipient that has the files of
  /// `target`, or is about to, is in none. A recipient of which nothing is known, where nothing is to follow, gets
  /// everything: a new machine, for example.
  ///
  /// `old`: where to start for recipients that never answered, when nothing was sent before.
  func groups(
    to target: Snapshot, behind head: StreamHead?, old: ObjectID?
  ) throws -> [Group] {
    let known = Dictionary(
      try outbox.recipients(of: stream.name).map { ($0.mailbox, $0) }
    ) { first, _ in first }
    let isFollowed = stream.configured.sameTree == .follow
    var groups: [Base: [PublicIdentity]] = [:]
    var order: [Base] = []
    for identity in stream.configured.recipients {
      let recipient = known[identity.mailbox]
      if let recipient, recipient.isHeading(for: target, isFollowed: isFollowed) { continue }
      let found = try recipient.flatMap { try expectation(of: $0, to: target.revision) }
      guard found?.revision != target.revision else { continue }
      var base = try found ?? fallback(last: head?.revision, old: old, to: target.revision)
      if base.revision == target.revision { base = .nothing }
      if groups[base] == nil { order.append(base) }
      groups[base, default: []].append(identity)
    }
    return order.flatMap { base in Self.split(groups[base] ?? [], from: base) }
  }

  /// For sending everything: a message that has the place of what a recipient says it has mends what is missing or damaged
  /// there, and brings the commits that were left out before the history was `full`.
  func replacements(for recipients: [PublicIdentity]) throws -> [Group] {
    let known = Dictionary(
      try outbox.recipients(of: stream.name).map { ($0.mailbox, $0) }
    ) { first, _ in first }
    let groups = Dictionary(grouping: recipients) { identity -> Base in
      guard let recipient = known[identity.mailbox], recipient.standing != nil,
        let revision = recipient.revision, let tree = recipient.tree
      else { return .nothing }
      return .unknown(Snapshot(revision: revision, tree: tree))
    }
    return groups.flatMap { base, recipients in Self.split(recipients, from: base) }
  }

  /// Recipients that start from the same revision, in as many messages as they need.
  static func split(_ recipients: [PublicIdentity], from base: Base) -> [Group] {
    recipients.split(countMax: Limits.recipientCountMax).map { Group(base: base, recipients: $0) }
  }

  /// `nil`: it never answered, or says something that nothing can start from.
  private func expectation(of recipient: Recipient, to after: ObjectID) throws -> Base? {
    if let expected = recipient.expected, try has(expected) { return .sent(expected) }
    return try report(of: recipient, to: after)
  }

  /// What a recipient's own word is worth as a start; it must not make us compare with anything it names.
  func report(of recipient: Recipient, to after: ObjectID) throws -> Base? {
    guard recipient.standing != nil else { return nil }
    guard let revision = recipient.revision else {
      return recipient.standing == .behind ? .nothing : nil
    }
    if try has(revision) {
      if try outbox.wasSent(revision, on: stream.name) {
        return .sent(revision)
      }
      if try stream.repository.isAncestor(revision, of: after) { return .unsent(revision) }
    }
    return recipient.tree.map { .unknown(Snapshot(revision: revision, tree: $0)) }
  }

  /// After a forced push and a clean-up, a revision that was sent may be gone. `old` is only what somebody says.
  private func fallback(last: ObjectID?, old: ObjectID?, to after: ObjectID) throws -> Base {
    if let last, try has(last) { return .sent(last) }
    guard last == nil, let old, try has(old), try stream.repository.isAncestor(old, of: after)
    else { return .nothing }
    return .unsent(old)
  }

  private func has(_ revision: ObjectID) throws(GitError) -> Bool {
    guard stream.repository.objects.contains(revision) else { return false }
    return try stream.repository.objects.header(revision).kind == .commit
  }
}

extension Recipient {
  /// It has these files, or gets them by what is on its way; `isFollowed`: this revision itself.
  fileprivate func isHeading(for target: Snapshot, isFollowed: Bool) -> Bool {
    if expected != nil {
      return expected == target.revision || !isFollowed && expectedTree == target.tree
    }
    return standing != nil
      && (revision == target.revision || !isFollowed && tree == target.tree)
  }
}
