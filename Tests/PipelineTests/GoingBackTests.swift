import Applier
import Foundation
import Git
import MessageFormat
import Signer
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

  /// A machine that takes descendants only, and whose objects are gone.
  private func bereft(_ history: SignerRepository.History) throws -> TestFleet {
    let fleet = try TestFleet.started(history: history, onGoingBack: .refuse)
    try fleet.source.commit(["a": "2\n"])
    try fleet.push()
    let checkout = fleet.machines[0].checkout
    try checkout.git("repack", "-q", "-a", "-d")
    let packs = checkout.path + "/.git/objects/pack"
    try FileManager.default.removeItem(atPath: packs)
    try FileManager.default.createDirectory(atPath: packs, withIntermediateDirectories: false)
    return fleet
  }

  @Test func `a checkout that has lost its own commit is sent back nowhere`() throws {
    let fleet = try bereft(.tip)
    let checkout = fleet.machines[0].checkout
    let head = try checkout.id()
    try fleet.source.git("reset", "-q", "--hard", "HEAD~1")
    try fleet.push()
    try fleet.heal()
    #expect(try fleet.machine().lastRefusal?.name == "going-back")
    #expect(try checkout.id() == head)
    // Its own revision mends it.
    try fleet.source.git("reset", "-q", "--hard", head.description)
    fleet.clock.advance(seconds: 61)
    try fleet.push()
    try fleet.heal()
    #expect(try fleet.machine().revision == head && fleet.machine().standing == .applied)
    // Older commits, which the reflog names, stay lost.
    try checkout.git("fsck", "--strict", "--no-reflogs")
  }

  @Test func `a checkout that has lost its own commit goes on to a history that has it`() throws {
    let fleet = try bereft(.full)
    try fleet.source.commit(["a": "3\n"])
    try fleet.push()
    try fleet.heal()
    try fleet.expectEqual()
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
