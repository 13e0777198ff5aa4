import Git
import GitModel
import MessageFormat
import Signer
import TestSupport
import Testing

/// What `sign-and-send` calls the state of a machine, while others send as well.
struct LastWordTests {
  private let fleet: TestFleet
  private var stream: StreamName { fleet.configured.stream(fleet.main) }

  init() throws { fleet = try TestFleet.started() }

  /// Whoever sends now waits for this.
  private func goal(to revision: ObjectID) throws -> Arrivals.Goal {
    let head = try #require(try fleet.outbox.head(of: stream))
    return Arrivals.Goal(
      stream: stream,
      target: Snapshot(revision: revision, tree: try fleet.source.tree(revision.hex)),
      sequence: head.sequence, recipients: [fleet.machines[0].mailbox])
  }

  private func state(_ goal: Arrivals.Goal) throws -> Arrivals.State? {
    let arrivals = try Arrivals(fleet.outbox, fleet.settings, [goal], quorum: nil)
    #expect(arrivals.arrivals.count == 1)
    #expect((arrivals.verdict == .applied) == (arrivals.arrivals.first?.state == .upToDate))
    return arrivals.arrivals.first?.state
  }

  /// Pushes of others must not keep a push open for as long as they come.
  @Test func `a machine that has gone on stays up to date with what was sent before`() throws {
    let first = try fleet.source.commit(["a": "2\n"])
    try fleet.send()
    let goal = try goal(to: first)
    #expect(try state(goal) == .underway)
    try fleet.source.commit(["a": "3\n"])
    try fleet.push()
    #expect(try state(goal) == .upToDate)
    let third = try fleet.source.commit(["a": "4\n"])
    try fleet.send()
    #expect(try state(goal) == .upToDate)
    #expect(try state(self.goal(to: third)) == .underway)
  }

  @Test func `a machine that was set back is not up to date with what was sent before`() throws {
    let first = try fleet.source.commit(["a": "2\n"])
    try fleet.push()
    let goal = try goal(to: first)
    #expect(try state(goal) == .upToDate)
    let machine = fleet.machines[0]
    try machine.checkout.git("reset", "-q", "--hard", "HEAD~1")
    try fleet.source.commit(["a": "3\n"])
    machine.isCutOff = true
    try fleet.push()
    #expect(try state(goal) == .upToDate)
    machine.isCutOff = false
    try fleet.deliver()
    #expect(try state(goal) != .upToDate)
    try fleet.heal()
    #expect(try state(goal) == .upToDate)
  }
}
