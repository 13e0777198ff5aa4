import Applier
import Git
import MessageFormat
import TestSupport
import Testing

struct GoingBackTests {
  private func pushedByForce(_ onGoingBack: CheckoutSettings.GoingBack) throws -> Pipeline {
    var options = PipelineOptions()
    options.onGoingBack = onGoingBack
    let pipeline = try Pipeline.started(options)
    try pipeline.source.commit(["a": "2\n"])
    #expect(try pipeline.push().map(\.refusal) == [nil])
    try pipeline.source.git("reset", "-q", "--hard", "HEAD~1")
    return pipeline
  }

  @Test func `a checkout that takes descendants only refuses to go back`() throws {
    let pipeline = try pushedByForce(.refuse)
    let head = try pipeline.checkout.id()
    #expect(try pipeline.push().map(\.refusal) == [.goingBack])
    #expect(try pipeline.checkout.id() == head)
    #expect(try pipeline.checkout.status() == "")
  }

  @Test func `a checkout that may go back follows a push by force`() throws {
    let pipeline = try pushedByForce(.apply)
    #expect(try pipeline.push().map(\.refusal) == [nil])
    try pipeline.expectEqual()
  }

  @Test func `a revision beside the checkout's is no descendant`() throws {
    let pipeline = try pushedByForce(.refuse)
    try pipeline.source.commit(["a": "3\n"])
    #expect(try pipeline.push().map(\.refusal) == [.goingBack])
  }

  @Test func `what descends is applied, also the commit that takes another back`() throws {
    var options = PipelineOptions()
    options.onGoingBack = .refuse
    let pipeline = try Pipeline.started(options)
    for text in ["2\n", "1\n"] {
      try pipeline.source.commit(["a": text])
      #expect(try pipeline.push().map(\.refusal) == [nil])
    }
    try pipeline.expectEqual()
  }

  @Test func `a signer that does not say descends cannot go on`() throws {
    var options = PipelineOptions()
    options.onGoingBack = .refuse
    let pipeline = try Pipeline.started(options)
    var forgery = try pipeline.forgery(to: try pipeline.source.commit(["a": "2\n"]))
    forgery.message.descends = false
    try pipeline.expectRefusal(.goingBack) { try pipeline.deposit(forgery) }
  }
}
