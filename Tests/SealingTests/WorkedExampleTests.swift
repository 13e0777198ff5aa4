import Compression
import Git
import GitModel
import MessageFormat
import PatchText
import Sealing
import Sodium
import Testing

/// The worked example of docs/message-format.md, byte for byte.
@Suite struct WorkedExampleTests {
  private static let timestamp: UInt64 = 1_700_000_100_000
  private static let remote = "git@github.com:acme/shop.git"

  private static func opened(_ name: String, type: String) throws -> (Vector, Opening) {
    let vector = try Vector.named(name)
    let opening = try Opening(
      vector.chunks(), for: vector.reader(), trusting: [vector.trusted()], type: type)
    return (vector, opening)
  }

  @Test func `derives the keys of the identities`() throws {
    let vector = try Vector.named("patch")
    #expect(try vector.signer().public.signingKey == vector.trusted().signingKey)
    #expect(try vector.signer().public.fingerprint == vector.trusted().fingerprint)
    #expect(
      try vector.trusted().fingerprint.hex
        == "573472ca59aaa2f90d65fab35474e58e7db448eefe1d6f04c9e252b1eee7d55e")
    #expect(
      try vector.reader().public.fingerprint.hex
        == "85026d7fb4be15823e18ee9eb3c3cec0004d22c77892bbbad31060bce0fa43bd")
    #expect(
      try Vector.named("refused-other-recipient").reader().public.fingerprint.hex
        == "9c019546a721e7d87392525190a8f52723663f2441dc48abd6746c1a6a578d7d")
  }

  @Test(
    arguments: [
      "snapshot", "patch", "receipt-applied", "receipt-refused", "heartbeat", "report",
    ])
  func `signs and names as the vector does`(name: String) throws {
    let vector = try Vector.named(name)
    let body = try vector.bytes("body")
    let statement = try Statement.signed(
      body, type: try vector.text("type"), by: try vector.signer())
    // Ed25519 has no randomness: the same statement gives the same bytes.
    #expect(try statement.encoded() == vector.bytes("statement"))
    #expect(try statement.signatures[0].bytes == vector.bytes("signature"))
    #expect(try ContentDigest(of: body).bytes == vector.bytes("digest"))
    #expect(try MessageID(ofHeader: vector.chunks()[0]).bytes == vector.bytes("id"))
  }

  @Test(arguments: Vector.all.filter { $0.expect == "opened" })
  func `opens what another implementation sealed`(vector: Vector) throws {
    let opening = try Opening(
      vector.chunks(), for: vector.reader(), trusting: [vector.trusted()],
      type: vector.text("type"))
    #expect(try opening.body == vector.bytes("body"))
    #expect(try opening.signer == vector.trusted())
    if try vector.text("type") != Message.statementType {
      #expect(opening.payload.isEmpty)
    } else {
      #expect(try opening.payload == vector.bytes("payload"))
    }
  }

  @Test(arguments: Vector.all.filter { $0.expect != "opened" })
  func `refuses with the kind that the vector names`(vector: Vector) throws {
    let (chunks, reader, trusted) = try (vector.chunks(), vector.reader(), vector.trusted())
    let opening: Opening
    do {
      opening = try Opening(chunks, for: reader, trusting: [trusted])
    } catch {
      #expect(error.kind == vector.expect)
      return
    }
    do {
      _ = try Message(decoding: opening.body)
      Issue.record("it opens")
    } catch {
      #expect("message \(error.isOverLimit ? "over-limit" : "malformed")" == vector.expect)
    }
  }

  @Test func `has vectors of every kind`() {
    let kinds = Set(Vector.all.map { String($0.expect.prefix { $0 != " " }) })
    #expect(
      kinds == [
        "opened", "tampered", "malformed", "not-a-recipient", "unknown-signer", "bad-signature",
        "wrong-type", "over-limit", "message",
      ])
  }

  @Test func `says the snapshot field by field`() throws {
    let (vector, opening) = try Self.opened("snapshot", type: Message.statementType)
    let message = try Message(decoding: opening.body)
    let commit = try Commit(bytes: vector.bytes("commit"))
    let tree = try Tree(bytes: vector.bytes("tree"))
    #expect(message.signer == opening.signer.mailbox)
    #expect(try message.recipients.first == vector.reader().public.mailbox)
    #expect(message.recipients.count == 2)
    #expect(
      message.stream.remote.text == Self.remote
        && message.stream.branch.fullName == "refs/heads/main")
    #expect(message.before == nil && message.previous == nil && message.sequence == 1)
    #expect(message.after == Snapshot(revision: commit.id, tree: commit.tree))
    #expect(try ObjectDatabase.hash(.tree, tree.bytes) == commit.tree)
    #expect(commit.id.hex == "729e02a85b9931782eb6ffe5e47cc29d7ba91c55")
    #expect(message.commit == commit.bytes)
    #expect(message.createdAt.milliseconds == Self.timestamp + 1_000)
    #expect(message.expiresAt.milliseconds == Self.timestamp + 1_000 + 30 * 86_400_000)
    #expect(message.payload?.kind == .pack)
    #expect(message.encoded() == opening.body)
  }

  @Test func `packs the snapshot into the same bytes`() throws {
    let (vector, opening) = try Self.opened("snapshot", type: Message.statementType)
    let message = try Message(decoding: opening.body)
    #expect(ContentDigest(of: opening.payload) == message.payload?.digest)
    #expect(UInt64(opening.payload.count) == message.payload?.size)
    let pack = try Zstd.decompress(opening.payload, outputByteCountMax: 1_000)
    #expect(UInt64(pack.count) == message.payload?.inflatedSize)
    #expect(try pack == vector.bytes("pack"))
    let (tree, blob) = try (vector.bytes("tree"), vector.bytes("blob"))
    let objects = [
      ObjectReference(id: try ObjectDatabase.hash(.tree, tree), kind: .tree),
      ObjectReference(id: try ObjectDatabase.hash(.blob, blob), kind: .blob),
    ]
    var stream = PackStream(objects) { (object: ObjectReference) throws(GitError) in
      object.kind == .tree ? tree : blob
    }
    var packed: [UInt8] = []
    while let piece = try stream.next() { packed += piece }
    #expect(packed == pack)
  }

  @Test func `says the patch field by field`() throws {
    let (first, firstOpening) = try Self.opened("snapshot", type: Message.statementType)
    let (vector, opening) = try Self.opened("patch", type: Message.statementType)
    let message = try Message(decoding: opening.body)
    let before = try Message(decoding: firstOpening.body)
    let commit = try Commit(bytes: vector.bytes("commit"))
    #expect(message.sequence == 2)
    #expect(try message.previous?.bytes == first.bytes("digest"))
    #expect(message.before == before.after)
    #expect(message.after == Snapshot(revision: commit.id, tree: commit.tree))
    #expect(commit.parents == [before.after.revision])
    #expect(message.payload?.kind == .patch)
    #expect(ContentDigest(of: opening.payload) == message.payload?.digest)
    let text = try Zstd.decompress(opening.payload, outputByteCountMax: 1_000)
    #expect(UInt64(text.count) == message.payload?.inflatedSize)
    #expect(try text == vector.bytes("patch"))
    let patch = try TextPatch(
      parsing: text,
      limits: PatchLimits(
        patchByteCountMax: 1_000, sectionCountMax: 1, hunkCountMax: 1, pieceByteCountMax: 0))
    #expect(patch.printed() == text)
    let section = try #require(patch.sections.first)
    let (old, new) = try (vector.bytes("old"), vector.bytes("new"))
    #expect(try section.apply(to: old, byteCountMax: 100) == new)
    #expect(try section.new?.id == ObjectDatabase.hash(.blob, new))
  }

  @Test func `says the receipts field by field`() throws {
    let (patch, patchOpening) = try Self.opened("patch", type: Message.statementType)
    let message = try Message(decoding: patchOpening.body)
    for (name, outcome, revision) in [
      ("receipt-applied", Receipt.Outcome.applied(message.after), message.after.revision),
      (
        "receipt-refused",
        .refused(.localChanges, detail: "\"greeting\" was changed"),
        try #require(message.before).revision
      ),
    ] {
      let (vector, opening) = try Self.opened(name, type: Receipt.statementType)
      let receipt = try Receipt(decoding: opening.body)
      #expect(receipt.applier == opening.signer.mailbox)
      #expect(try receipt.signer == vector.reader().public.mailbox)
      #expect(try receipt.messageID.bytes == patch.bytes("id"))
      #expect(
        receipt.subject
          == .init(stream: message.stream, sequence: message.sequence))
      #expect(receipt.outcome == outcome && receipt.revision == revision)
      #expect(receipt.receivedAt.milliseconds == Self.timestamp + 5_000)
      #expect(receipt.finishedAt.milliseconds == Self.timestamp + 5_040)
      #expect(receipt.encoded() == opening.body)
    }
  }

  @Test func `says the heartbeat and its report field by field`() throws {
    let (_, patchOpening) = try Self.opened("patch", type: Message.statementType)
    let message = try Message(decoding: patchOpening.body)
    let before = try #require(message.before)
    let next = StreamName(
      remote: message.stream.remote, branch: try #require(BranchName("next")))
    let (vector, opening) = try Self.opened("heartbeat", type: Heartbeat.statementType)
    let heartbeat = try Heartbeat(decoding: opening.body)
    #expect(
      heartbeat
        == Heartbeat(
          signer: message.signer, recipients: message.recipients,
          counter: Self.timestamp + 60_000,
          createdAt: Timestamp(milliseconds: Self.timestamp + 60_000),
          expiresAt: Timestamp(milliseconds: Self.timestamp + 360_000),
          streams: [
            .init(message.stream, sequence: 2, revision: message.after.revision, tree: nil),
            .init(next, sequence: 1, revision: before.revision, tree: nil),
          ]))
    #expect(heartbeat.encoded() == opening.body)
    let (_, answer) = try Self.opened("report", type: Report.statementType)
    let report = try Report(decoding: answer.body)
    #expect(
      report
        == Report(
          applier: try vector.reader().public.mailbox, signer: message.signer,
          counter: heartbeat.counter,
          receivedAt: Timestamp(milliseconds: Self.timestamp + 60_010),
          finishedAt: Timestamp(milliseconds: Self.timestamp + 60_020),
          streams: [
            .init(message.stream, sequence: 2, standing: .current(message.after)),
            .init(
              next, sequence: 1,
              standing: .blocked(
                .gitLock, detail: "index.lock exists", revision: before.revision)),
          ]))
    #expect(report.encoded() == answer.body)
  }
}
