import Foundation
import GitModel
import MessageFormat
import Signer
import TestSupport
import Testing

/// Machines at a revision that the signer does not have, or without what it takes for granted there: they get everything.
struct ReplacementTests {
  private func loseRevision(_ fleet: TestFleet) throws {
    try fleet.source.commit(["a": "lost\n", "only": "there\n"])
    try fleet.push()
    try fleet.source.git("reset", "-q", "--hard", "HEAD~1")
    try fleet.source.commit(["a": "other history\n"])
    try fleet.source.git("reflog", "expire", "--expire=now", "--all")
    try fleet.source.git("gc", "-q", "--prune=now")
  }

  @Test(arguments: [SignerRepository.History.tip, .full])
  func `revision that the signer has lost is replaced`(history: SignerRepository.History) throws {
    let fleet = try TestFleet.started(history: history)
    try loseRevision(fleet)
    try fleet.push()
    try fleet.heal()
    #expect(try fleet.newest().kind == "replacement")
    try fleet.expectEqual()
  }

  @Test func `a machine that has lost objects which a pack takes for granted gets all of them`()
    throws
  {
    let fleet = try TestFleet.started(history: .full)
    let checkout = fleet.machines[0].checkout
    // No patch says it as shortly as a pack, of a commit that is known there.
    var random = SeededGenerator(seed: 1)
    let bytes = (0..<300_000).map { _ in UInt8.random(in: 0...255, using: &random) }
    try fleet.source.commit(["large": String(decoding: bytes, as: UTF8.self)])
    try fleet.push()
    let blob = try checkout.id("HEAD:large").description
    try fleet.source.commit(["large": "small\n"])
    try fleet.push()
    let packs = "\(checkout.path)/.git/objects/pack"
    for index in try FileManager.default.contentsOfDirectory(atPath: packs)
    where index.hasSuffix(".idx") {
      guard try checkout.git("verify-pack", "-v", "\(packs)/\(index)").contains(blob) else {
        continue
      }
      try FileManager.default.removeItem(atPath: "\(packs)/\(index.dropLast(4)).pack")
      try FileManager.default.removeItem(atPath: "\(packs)/\(index)")
    }
    try fleet.source.git("reset", "-q", "--hard", "HEAD~1")
    try fleet.push()
    #expect(try fleet.newest().refusal == "invalid-pack")
    fleet.clock.advance(seconds: 61)
    #expect(try fleet.heal() == 1)
    #expect(try fleet.newest().kind == "replacement")
    try fleet.expectEqual()
  }

  @Test func `commit that was made there is not replaced`() throws {
    let fleet = try TestFleet.started()
    let checkout = fleet.machines[0].checkout
    let mine = try checkout.commit(["mine": "x\n"])
    try fleet.source.commit(["a": "2\n"])
    try fleet.push()
    try fleet.heal()
    #expect(try checkout.id() == mine)
    #expect(try fleet.newest().kind == "replacement")
    #expect(try fleet.newest().refusal == "foreign-commit")
    // Asking once is enough, however often it says that it is behind.
    for _ in 1...12 {
      fleet.clock.advance(seconds: 7_200)
      #expect(try fleet.heal() == 0)
    }
    #expect(try checkout.id() == mine)
    try checkout.git("reset", "-q", "--hard", "HEAD~1")
    fleet.clock.advance(seconds: 61)
    try fleet.source.commit(["a": "3\n"])
    try fleet.push()
    try fleet.heal()
    try fleet.expectEqual()
  }

  @Test func `revision that the signer has lost is replaced once edits in its way are undone`()
    throws
  {
    let fleet = try TestFleet.started()
    try loseRevision(fleet)
    let checkout = fleet.machines[0].checkout
    try checkout.write("a", "mine\n")
    try fleet.push()
    try fleet.heal()
    #expect(try fleet.newest().kind == "replacement")
    #expect(try fleet.newest().refusal == "local-changes")
    try checkout.git("checkout", "-q", "a")
    fleet.clock.advance(seconds: 61)
    #expect(try fleet.heal() == 1)
    try fleet.expectEqual()
  }

  @Test func `commit that was made there is replaced where configured`() throws {
    let fleet = try TestFleet.started(onLocalChanges: .overwrite)
    try fleet.machines[0].checkout.commit(["mine": "x\n"])
    try fleet.source.commit(["a": "2\n"])
    try fleet.push()
    try fleet.heal()
    try fleet.expectEqual()
  }

  /// A revision of the branch that no message has named: what it would have to remove must not be shown.
  @Test func `revision that was never sent gets a pack`() throws {
    let fleet = try TestFleet.started()
    try fleet.source.commit(["a": "2\n", "secret": "between\n"])
    let between = try fleet.source.id()
    try fleet.source.git("rm", "-q", "secret")
    try fleet.source.commit(["a": "3\n"])
    let checkout = fleet.machines[0].checkout
    try checkout.git("fetch", "-q", fleet.source.path, "main")
    try checkout.git("reset", "-q", "--hard", between.hex)
    try fleet.push()
    try fleet.heal()
    #expect(try fleet.newest().kind == "pack")
    try fleet.expectEqual()
  }
}
