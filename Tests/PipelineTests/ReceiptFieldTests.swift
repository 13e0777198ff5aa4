import Foundation
import GitModel
import MessageFormat
import Sealing
import Signer
import Sodium
import TestSupport
import Testing

/// A receipt that the right applier signed, with one field that cannot be: it changes nothing that the signer knows.
struct ReceiptFieldTests {
  /// What a receipt says; each field can be spoiled by itself.
  private struct Fields {
    var applier: Mailbox
    var signer: Mailbox
    var messageID: MessageID
    var remote: RemoteName
    var branch: BranchName
    var sequence: UInt64
    var hasSubject = true
    var outcome: Receipt.Outcome
    let time: Timestamp

    var receipt: Receipt {
      Receipt(
        applier: applier, signer: signer, messageID: messageID,
        subject: hasSubject
          ? Receipt.Subject(
            stream: StreamName(remote: remote, branch: branch), sequence: sequence) : nil,
        outcome: outcome, revision: nil, receivedAt: time, finishedAt: time)
    }
  }

  private let fleet: TestFleet
  private let first: SentPatch
  private let newest: SentPatch
  private let stranger = ObjectID(hex: String(repeating: "ab", count: 20))

  /// The first message is answered, the newest one is on its way.
  init() throws {
    fleet = try TestFleet()
    try fleet.source.commit(["a": "1\n"])
    first = try #require(try fleet.send().first)
    try fleet.deliver()
    try fleet.source.commit(["a": "2\n"])
    newest = try #require(try fleet.send().first)
    try fleet.lose(for: fleet.machines[0])
    fleet.clock.advance(seconds: 1)
  }

  private func snapshot(_ revision: ObjectID) throws -> Snapshot {
    let tree = try fleet.source.git("rev-parse", revision.hex + "^{tree}")
    return Snapshot(
      revision: revision,
      tree: try #require(ObjectID(hex: tree.trimmingCharacters(in: .whitespacesAndNewlines))))
  }

  private func honest(
    _ change: (inout Fields) throws -> Void = { _ in }
  ) throws -> Receipt {
    var fields = Fields(
      applier: fleet.machines[0].mailbox, signer: fleet.signer.public.mailbox,
      messageID: newest.id, remote: newest.update.stream.remote,
      branch: newest.update.stream.branch, sequence: try fleet.newest().sequence,
      outcome: .applied(try snapshot(newest.update.after)), time: fleet.clock.now)
    try change(&fields)
    return fields.receipt
  }

  private func record(_ receipt: Receipt) throws -> ReceiptReader.Reading {
    let envelope = try Envelope.seal(
      receipt, by: fleet.machines[0].identity, for: [fleet.signer.public])
    var chunks: [[UInt8]] = []
    try envelope.write(to: { chunks.append($0) })
    let sealed = SealedMessage(chunks: chunks)
    let verified = try fleet.reader.read(sealed, named: sealed.id)
    return try #require(try fleet.record([verified]).first)
  }

  private func known() throws -> String {
    "\(try fleet.outbox.recipients()) \(try fleet.outbox.newest())"
  }

  private func expect(
    _ reading: ReceiptReader.Reading, sourceLocation: SourceLocation = #_sourceLocation,
    _ change: (inout Fields) throws -> Void
  ) throws {
    let before = try known()
    let result = try record(try honest(change))
    #expect(result == reading, sourceLocation: sourceLocation)
    #expect(try known() == before, sourceLocation: sourceLocation)
  }

  @Test func `each field of an answer to a message is compared`() throws {
    let other = try #require(stranger)
    let right = try snapshot(newest.update.after)
    try expect(.mismatch(field: "remote")) { $0.remote = try RemoteName("git@example.org:other") }
    try expect(.mismatch(field: "ref")) { $0.branch = try #require(BranchName("other")) }
    try expect(.mismatch(field: "sequence")) { $0.sequence += 1 }
    try expect(.mismatch(field: "sequence")) { $0.sequence -= 1 }
    try expect(.mismatch(field: "remote")) { $0.hasSubject = false }
    try expect(.mismatch(field: "revision")) {
      $0.outcome = .applied(Snapshot(revision: other, tree: right.tree))
    }
    try expect(.mismatch(field: "revision")) {
      $0.outcome = .applied(try snapshot(first.update.after))
    }
    try expect(.mismatch(field: "tree")) {
      $0.outcome = .applied(Snapshot(revision: right.revision, tree: other))
    }
    try expect(.mismatch(field: "tree")) {
      $0.outcome = .behind(Snapshot(revision: first.update.after, tree: other))
    }
    for outcome in [
      Receipt.Outcome.refused(.expired, detail: "a lie"), .blocked(.diskFull, detail: "a lie"),
    ] {
      try expect(.mismatch(field: "remote")) {
        $0.outcome = outcome
        $0.remote = try RemoteName("git@example.org:other")
      }
      try expect(.mismatch(field: "sequence")) {
        $0.outcome = outcome
        $0.sequence += 1
      }
    }
    // Of the message before, which is answered, and of none.
    try expect(.mismatch(field: "sequence")) { $0.messageID = first.id }
    try expect(.unasked) { $0.messageID = MessageID(ofHeader: [1]) }
    // The honest one, after all of them.
    #expect(try record(try honest()) == .news)
    #expect(try fleet.newest().state == .applied)
  }

  @Test func `a receipt for another signer, or in another applier's name, is not read`() throws {
    let before = try known()
    for receipt in [
      try honest { $0.signer = fleet.machines[0].mailbox },
      try honest { $0.applier = fleet.signer.public.mailbox },
    ] {
      #expect(throws: SealingError.self) { try record(receipt) }
    }
    #expect(try known() == before)
  }
}
