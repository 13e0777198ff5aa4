import GitModel
import Signer
import TestSupport
import Testing

/// A branch that goes back to what a machine never left, since it refused what came between.
struct TakenBackTests {
  /// A machine that is at the first commit, and has refused the second.
  private func refusing() throws -> TestFleet {
    let fleet = try TestFleet.started()
    try fleet.machines[0].checkout.write("a", "mine\n")
    try fleet.source.commit(["a": "2\n"])
    try fleet.push()
    #expect(try fleet.newest().refusal == "local-changes")
    try fleet.machines[0].checkout.git("checkout", "-q", "a")
    return fleet
  }

  @Test func `commit that was taken back is brought to nobody`() throws {
    let fleet = try refusing()
    let bad = try fleet.source.id()
    try fleet.source.git("reset", "-q", "--hard", "HEAD~1")
    #expect(try fleet.send().isEmpty)
    fleet.clock.advance(seconds: 61)
    #expect(try fleet.heal() == 0)
    try fleet.expectEqual()
    #expect(try fleet.machines[0].status().staleness == nil)
    #expect(try fleet.machine().head != bad)
    // It goes on from there.
    try fleet.source.commit(["a": "3\n"])
    try fleet.push()
    #expect(try fleet.newest().state == .applied)
    try fleet.expectEqual()
  }

  @Test func `a machine with the files of a revert is up to date without a message`() throws {
    let fleet = try refusing()
    try fleet.source.git("revert", "--no-edit", "HEAD")
    #expect(try fleet.send().isEmpty)
    fleet.clock.advance(seconds: 61)
    #expect(try fleet.heal() == 0)
    let machine = try fleet.machine()
    #expect(machine.isUpToDate && Healing.state(of: machine) == .none)
    let row = try #require(
      try Fleet(fleet.outbox, repositories: fleet.settings.repositories).rows.first)
    #expect(row.distance.commitCount == 0)
    // It goes on from there.
    try fleet.source.commit(["a": "3\n"])
    try fleet.push()
    try fleet.expectEqual()
  }

  /// As people add an empty commit, on what all have.
  @Test func `a commit that changes nothing needs no message`() throws {
    let fleet = try TestFleet.started()
    let empty = try fleet.source.commit([:], "nothing changed")
    #expect(try fleet.send().isEmpty)
    #expect(try fleet.machine().head == empty && fleet.machine().isUpToDate)
    #expect(
      try Fleet(fleet.outbox, repositories: fleet.settings.repositories).unsent.isEmpty)
  }

  @Test func `machine that is off gets what the branch went back to`() throws {
    let fleet = try TestFleet.started(["web1", "web2"])
    fleet.machines[1].isCutOff = true
    try fleet.source.commit(["a": "2\n"])
    try fleet.push()
    try fleet.source.git("reset", "-q", "--hard", "HEAD~1")
    try fleet.push()
    fleet.machines[1].isCutOff = false
    try fleet.deliver()
    try fleet.expectEqual()
  }
}
