import Foundation
import GitModel
import MessageFormat
import Sealing
import Sodium
import TestSupport
import Testing

/// What the first stage refuses: bytes that are no message, or not one for us, from a signer we trust, now.
struct OpenRefusalTests {
  private let pipeline: Pipeline
  private let stranger: Identity

  init() throws {
    stranger = Identity(generating: try IdentityName("stranger"))
    pipeline = try Pipeline.started()
  }

  /// An honest message to a new commit, to be changed.
  private func forgery() throws -> Forgery {
    try pipeline.forgery(to: try pipeline.source.commit(["a": "changed\n"]))
  }

  @Test func `honest message made by hand is applied`() throws {
    try pipeline.deposit(try forgery().sealed())
    try pipeline.work()
    #expect(try pipeline.receipts().map(\.refusal) == [nil])
    try pipeline.expectEqual()
  }

  @Test(arguments: [0, 1, 2])
  func `refuses changed bit in any chunk`(chunk: Int) throws {
    var sealed = try forgery().sealed()
    // The last byte of chunk 0 is the recipient's wrapped key.
    sealed.chunks[chunk][sealed.chunks[chunk].count - 1] ^= 1
    try pipeline.expectRefusal(.tampered) { try pipeline.deposit(sealed) }
    try pipeline.expectNextPushArrives()
  }

  @Test func `refuses every bit of a statement changed`() throws {
    let sealed = try forgery().sealed()
    for position in stride(from: 0, to: sealed.chunks[1].count, by: 37) {
      var changed = sealed
      changed.chunks[1][position] ^= 0x10
      try pipeline.expectRefusal(.tampered) { try pipeline.deposit(changed) }
    }
  }

  @Test func `refuses message without its last chunk`() throws {
    var forgery = try forgery()
    try forgery.setContent(.patch, PatchCases.randomBytes(300_000, seed: 3))
    var sealed = try forgery.sealed()
    #expect(sealed.chunks.count == 5)
    sealed.chunks.removeLast()
    try pipeline.expectRefusal(.tampered) { try pipeline.deposit(sealed) }
  }

  /// The disk has lost its end, or all of it.
  @Test(arguments: [700_000, 0])
  func `refuses message whose file is damaged`(byteCount: Int) throws {
    var forgery = try forgery()
    try forgery.setContent(.patch, PatchCases.randomBytes(800_000, seed: 3))
    let sealed = try forgery.sealed()
    try pipeline.expectRefusal(.tampered) {
      try pipeline.deposit(sealed)
      let path = pipeline.store.state.spool.path(of: "\(sealed.id.hex).sealed")
      try #require(unsafe truncate(path, off_t(byteCount)) == 0)
    }
    try pipeline.expectNextPushArrives()
  }

  @Test func `refuses chunks in another order`() throws {
    var forgery = try forgery()
    try forgery.setContent(.patch, PatchCases.randomBytes(300_000, seed: 3))
    var sealed = try forgery.sealed()
    sealed.chunks.swapAt(2, 3)
    try pipeline.expectRefusal(.tampered) { try pipeline.deposit(sealed) }
  }

  @Test func `refuses chunk of another message`() throws {
    let forgery = try forgery()
    var sealed = try forgery.sealed()
    sealed.chunks[2] = try forgery.sealed().chunks[2]
    try pipeline.expectRefusal(.tampered) { try pipeline.deposit(sealed) }
  }

  @Test func `refuses payload that is not the signed one`() throws {
    var forgery = try forgery()
    forgery.payload[forgery.payload.count - 1] ^= 1
    try pipeline.expectRefusal(.tampered, of: forgery)
  }

  @Test func `refuses payload of another size than signed`() throws {
    for difference in [-1, 1] {
      var forgery = try forgery()
      let size = Int(forgery.message.payload?.inflatedSize ?? 0)
      forgery.describe(.patch, inflatedSize: size + difference)
      // One byte less is a stream that goes over its limit.
      try pipeline.expectRefusal(.malformed, of: forgery)
    }
  }

  @Test func `refuses header that is none`() throws {
    var sealed = try forgery().sealed()
    sealed.chunks[0] = Array("not a header".utf8)
    try pipeline.expectRefusal(.malformed) { try pipeline.deposit(sealed) }
    try pipeline.expectNextPushArrives()
  }

  @Test func `refuses signed bytes that are no message`() throws {
    var forgery = try forgery()
    forgery.editBody = { _ in Array("garbage".utf8) }
    try pipeline.expectRefusal(.malformed, of: forgery)
    // A field that we do not know, appended.
    forgery.editBody = { $0 + [0xf8, 0x3f, 1] }
    try pipeline.expectRefusal(.malformed, of: forgery)
  }

  @Test func `refuses statement of another type`() throws {
    var forgery = try forgery()
    forgery.type = Receipt.statementType
    try pipeline.expectRefusal(.malformed, of: forgery)
  }

  @Test func `refuses payload that does not decompress`() throws {
    var forgery = try forgery()
    forgery.payload = PatchCases.randomBytes(500, seed: 5)
    forgery.describe(.patch, inflatedSize: 1_000)
    try pipeline.expectRefusal(.malformed, of: forgery)
  }

  @Test func `refuses patch text that is not canonical`() throws {
    var forgery = try forgery()
    try forgery.setContent(.patch, Array("--- a/a\n+++ b/a\n@@ -1 +1 @@\n-1\n+changed\n".utf8))
    try pipeline.expectRefusal(.malformed, of: forgery)
  }

  @Test func `refuses message that a recipient passed on`() throws {
    var forgery = try forgery()
    // Signed for someone else, who took it out of its seal and sealed it for us.
    forgery.message.recipients = [stranger.public.mailbox]
    try pipeline.expectRefusal(.notARecipient, of: forgery)
  }

  @Test func `refuses message sealed for others`() throws {
    var forgery = try forgery()
    forgery.readers = [stranger.public]
    try pipeline.expectRefusal(.notARecipient, of: forgery)
  }

  @Test func `refuses unknown signer`() throws {
    var forgery = try forgery()
    forgery.author = stranger
    forgery.message.signer = stranger.public.mailbox
    try pipeline.expectRefusal(.unknownSigner, of: forgery)
    try pipeline.expectNextPushArrives()
  }

  @Test func `refuses signer who is not trusted for this checkout`() throws {
    let pipeline = try Pipeline.started(PipelineOptions(others: [stranger]))
    var forgery = try pipeline.forgery(to: try pipeline.source.commit(["a": "changed\n"]))
    forgery.author = stranger
    forgery.message.signer = stranger.public.mailbox
    let before = try PipelineWorkingCopy(pipeline.checkout.path)
    try pipeline.deposit(try forgery.sealed(), from: stranger.public.mailbox)
    try pipeline.work()
    // The receipt is for the one who signed.
    let answers = try pipeline.store.messages(in: stranger.public.mailbox, countMax: 9)
    let sealed = try SealedMessage(try #require(answers.first))
    var unsealer = try Unsealer(header: sealed.chunks[0], for: stranger)
    let statement = try Statement(decoding: unsealer.open(sealed.chunks[1], isLast: true))
    #expect(try Receipt(decoding: statement.body).refusal == .unknownSigner)
    #expect(try PipelineWorkingCopy(pipeline.checkout.path) == before)
  }

  @Test func `refuses signature that does not match`() throws {
    var forgery = try forgery()
    forgery.editStatement = { statement in
      Statement(
        type: statement.type, body: statement.body.dropLast() + [statement.body[0] ^ 1],
        signatures: statement.signatures)
    }
    try pipeline.expectRefusal(.badSignature, of: forgery)
    try pipeline.expectNextPushArrives()
  }

  @Test func `refuses message that names another signer`() throws {
    var forgery = try forgery()
    forgery.message.signer = stranger.public.mailbox
    try pipeline.expectRefusal(.badSignature, of: forgery)
  }

  @Test func `refuses signature of a stranger in the signer's name`() throws {
    var forgery = try forgery()
    forgery.author = stranger
    let name = pipeline.signer.public.mailbox
    forgery.editStatement = { statement in
      let signatures = statement.signatures.map {
        Statement.Signature(signer: name, bytes: $0.bytes)
      }
      return Statement(type: statement.type, body: statement.body, signatures: signatures)
    }
    try pipeline.expectRefusal(.badSignature, of: forgery)
  }

  @Test func `refuses expired message`() throws {
    try pipeline.source.commit(["a": "changed\n"])
    try pipeline.send()
    pipeline.clock.advance(seconds: 86_401)
    try pipeline.expectRefusal(.expired) {}
    #expect(try pipeline.outbox.newest().map(\.refusal) == ["expired"])
  }

  @Test func `refuses message from the future`() throws {
    var forgery = try forgery()
    let time = pipeline.clock.now.adding(
      milliseconds: Limits.clockSkewMillisecondsMax + 1)
    forgery.message.createdAt = time
    forgery.message.expiresAt = time.adding(milliseconds: 1_000)
    try pipeline.expectRefusal(.clockSkew, of: forgery)
  }

  @Test func `takes message of a clock that is a little ahead`() throws {
    var forgery = try forgery()
    forgery.message.createdAt = pipeline.clock.now.adding(
      milliseconds: Limits.clockSkewMillisecondsMax)
    forgery.message.expiresAt = forgery.message.createdAt.adding(milliseconds: 1_000)
    try pipeline.deposit(try forgery.sealed())
    try pipeline.work()
    #expect(try pipeline.receipts().map(\.refusal) == [nil])
  }

  @Test func `refuses lifetime over the limit`() throws {
    var forgery = try forgery()
    forgery.message.expiresAt = forgery.message.createdAt.adding(
      milliseconds: Limits.lifetimeMillisecondsMax + 1)
    try pipeline.expectRefusal(.overLimit, of: forgery)
    // Expires before it was made.
    forgery.message.createdAt = pipeline.clock.now.adding(milliseconds: 5_000)
    forgery.message.expiresAt = pipeline.clock.now.adding(milliseconds: 1_000)
    try pipeline.expectRefusal(.overLimit, of: forgery)
  }

  @Test func `refuses fields over their limits`() throws {
    var forgery = try forgery()
    let honest = forgery.message
    forgery.message.commit = [UInt8](repeating: 10, count: Limits.commitByteCountMax + 1)
    try pipeline.expectRefusal(.overLimit, of: forgery)
    forgery.message = honest
    forgery.describe(.patch, inflatedSize: Limits.patchByteCountMax + 1)
    try pipeline.expectRefusal(.overLimit, of: forgery)
    forgery.describe(.pack, inflatedSize: Int(Limits.payloadInflatedByteCountMax) + 1)
    try pipeline.expectRefusal(.overLimit, of: forgery)
  }
}
