import GitModel
import MessageFormat
import Signer
import TestSupport
import Testing

/// Commits that change no file: `same-tree: skip` and `follow`.
struct SameTreeTests {
  /// Two machines at the first commit; web1 has refused the second, which web2 never got.
  private func refused(_ sameTree: SignerRepository.SameTree) throws -> TestFleet {
    let fleet = try TestFleet.started(sameTree: sameTree)
    try fleet.machines[0].checkout.write("a", "mine\n")
    try fleet.source.commit(["a": "2\n"])
    try fleet.push()
    #expect(try fleet.newest().refusal == "local-changes")
    try fleet.machines[0].checkout.git("checkout", "-q", "a")
    try fleet.source.git("revert", "--no-edit", "HEAD")
    return fleet
  }

  @Test func `with skip the revert of a refused commit leaves no machine refused or behind`()
    throws
  {
    let fleet = try refused(.skip)
    #expect(try fleet.send().isEmpty)
    #expect(try fleet.machine().isUpToDate)
    fleet.clock.advance(seconds: 61)
    #expect(try fleet.heal() == 0)
    #expect(try fleet.machine().standing == .current)
    #expect(try fleet.machines[0].status().staleness == nil)
    try fleet.expectEqual(to: "main~2")
    try fleet.source.commit(["a": "3\n"])
    try fleet.push()
    try fleet.expectEqual()
  }

  @Test func `with skip a revert that overtakes the refusal leaves no machine behind`() throws {
    let fleet = try TestFleet.started()
    try fleet.machines[0].checkout.write("a", "mine\n")
    try fleet.source.commit(["a": "2\n"])
    try fleet.send()
    try fleet.source.git("revert", "--no-edit", "HEAD")
    #expect(try fleet.send().count == 1)
    try fleet.deliver()
    #expect(try fleet.newest().state == .behind)
    #expect(try fleet.machine().isUpToDate)
    fleet.clock.advance(seconds: 61)
    #expect(try fleet.heal() == 0)
    #expect(try fleet.machine().standing == .current)
    #expect(try fleet.machines[0].status().staleness == nil)
  }

  @Test func `with skip a machine with the same files is current`() throws {
    let fleet = try TestFleet.started()
    try fleet.source.commit([:], "nothing changed")
    #expect(try fleet.send().isEmpty)
    fleet.clock.advance(seconds: 61)
    #expect(try fleet.heal() == 0)
    #expect(try fleet.machine().standing == .current)
    #expect(try fleet.machines[0].status().staleness == nil)
    try fleet.expectEqual(to: "main~1")
  }

  @Test(arguments: [SignerRepository.History.tip, .full])
  func `with follow the revision moves by a message without a payload`(
    history: SignerRepository.History
  ) throws {
    let fleet = try TestFleet.started(history: history, sameTree: .follow)
    try fleet.source.git("clone", "-q", ".", fleet.folder.path("beside"))
    let clone = PipelineRepository(at: fleet.folder.path("beside"), in: fleet.folder)
    try fleet.source.commit([:], "nothing changed")
    #expect(try fleet.send().count == 1)
    #expect(try fleet.newest().kind == "revision")
    try fleet.deliver()
    #expect(try fleet.newest().state == .applied)
    try clone.git("pull", "-q", "--ff-only")
    try fleet.expectEqual()
    let checkout = fleet.machines[0].checkout
    #expect(try checkout.git("ls-files", "--stage") == clone.git("ls-files", "--stage"))
    #expect(try checkout.git("log", "-1", "--format=raw") == clone.git("log", "-1", "--format=raw"))
    fleet.clock.advance(seconds: 61)
    #expect(try fleet.heal() == 0)
    // Both forms in one step.
    try fleet.source.commit([:], "nothing again")
    try fleet.send()
    try fleet.source.commit(["a": "9\n"])
    try fleet.push()
    try fleet.expectEqual()
  }

  @Test func `with follow several commits whose changes cancel out arrive as a pack`() throws {
    let fleet = try TestFleet.started(history: .full, sameTree: .follow)
    try fleet.source.commit(["a": "2\n"])
    try fleet.source.git("revert", "--no-edit", "HEAD")
    #expect(try fleet.send().count == 1)
    #expect(try fleet.newest().kind == "pack")
    try fleet.deliver()
    try fleet.expectEqual()
    #expect(try fleet.machines[0].checkout.git("cat-file", "-t", "HEAD~1") == "commit")
  }

  @Test func `with follow the revert of a refused commit brings the revision`() throws {
    let fleet = try refused(.follow)
    #expect(try fleet.send().count == 1)
    try fleet.deliver()
    try fleet.expectEqual()
    #expect(try fleet.machine().standing == .applied)
    #expect(try fleet.machines[0].status().staleness == nil)
  }

  @Test func `with follow a machine that missed the move is healed`() throws {
    let fleet = try TestFleet.started(sameTree: .follow)
    try fleet.source.commit([:], "nothing changed")
    try fleet.send()
    try fleet.lose(for: fleet.machines[0])
    fleet.clock.advance(seconds: 61)
    #expect(try fleet.heal() > 0)
    try fleet.expectEqual()
  }

  /// What a person has changed is no concern of a message that changes no file.
  @Test func `with follow local changes stay`() throws {
    let fleet = try TestFleet.started(sameTree: .follow)
    try fleet.machines[0].checkout.write("a", "mine\n")
    try fleet.source.commit([:], "nothing changed")
    try fleet.push()
    #expect(try fleet.newest().state == .applied)
    #expect(try fleet.machines[0].checkout.status() == " M a")
    #expect(try fleet.machines[0].checkout.id() == fleet.source.id())
  }
}
