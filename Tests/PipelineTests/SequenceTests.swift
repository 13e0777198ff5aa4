import Applier
import Git
import GitModel
import MessageFormat
import Patching
import Sodium
import TestSupport
import Testing

/// Messages of several signers that are handled in one step.
struct SequenceTests {
  private let partner: Identity
  private let pipeline: Pipeline
  private let first: ObjectID
  private let second: ObjectID

  init() throws {
    partner = Identity(generating: try IdentityName("partner"))
    var options = PipelineOptions()
    options.partners = [partner]
    pipeline = try Pipeline.started(options)
    first = try pipeline.source.id()
    second = try pipeline.source.commit(["a": "2\n"])
  }

  private func forgery(
    by signer: Identity, from before: ObjectID, to after: ObjectID, sequence: UInt64
  ) throws -> Forgery {
    let objects = try Repository(opening: pipeline.source.path).objects
    var forgery = try pipeline.forgery(to: after)
    forgery.author = signer
    forgery.message.signer = signer.public.mailbox
    forgery.message.before = try pipeline.snapshot(before)
    (forgery.message.sequence, forgery.message.previous) = (sequence, nil)
    let made = try TreePatch.make(
      from: try pipeline.source.tree(before.hex), to: try pipeline.source.tree(after.hex),
      in: objects, limits: .carried)
    guard case .made(let text) = made else { throw ForgeryFailure.noPatch }
    try forgery.setContent(.patch, text)
    return forgery
  }

  /// One of its recipients seals it anew, behind the message of another signer that took it back.
  @Test func `a message that comes again behind another signer's is a replay`() throws {
    let sequence = try #require(try pipeline.outbox.head(of: pipeline.stream)).sequence + 5
    let message = try forgery(
      by: pipeline.signer, from: first, to: second, sequence: sequence)
    let back = try forgery(by: partner, from: second, to: first, sequence: 1)
    for one in [message, back, message] { try pipeline.deposit(try one.sealed()) }
    #expect(try pipeline.work() <= 2)
    #expect(try pipeline.receipts().map(\.refusal) == [nil, .replayed])
    #expect(try pipeline.checkout.id() == first)
  }

  @Test func `a message that does not follow its signer's last one is a fork behind another's`()
    throws
  {
    let sequence = try #require(try pipeline.outbox.head(of: pipeline.stream)).sequence + 5
    let message = try forgery(
      by: pipeline.signer, from: first, to: second, sequence: sequence)
    let back = try forgery(by: partner, from: second, to: first, sequence: 1)
    var fork = try forgery(
      by: pipeline.signer, from: first, to: second, sequence: sequence + 1)
    fork.message.previous = ContentDigest(of: Array("another history".utf8))
    for one in [message, back, fork] { try pipeline.deposit(try one.sealed()) }
    try pipeline.work()
    #expect(try pipeline.receipts().map(\.refusal) == [nil, .forked])
    #expect(try pipeline.checkout.id() == first)
  }
}
