import Applier
import Foundation
import Git
import TestSupport
import Testing

/// The packs that steps leave in a checkout.
struct PackUpkeepTests {
  private struct Stop: Error {}

  private let pipeline: Pipeline
  private var directory: String { pipeline.checkout.path + "/.git/objects/pack" }

  init() throws { pipeline = try Pipeline.started() }

  private func packs() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: directory)
      .filter { $0.hasSuffix(".pack") }.sorted()
  }

  private func push(_ count: Int) throws {
    for _ in 0..<count {
      try pipeline.source.commit(["a": UUID().uuidString + "\n"])
      #expect(try pipeline.push().map(\.refusal) == [nil])
    }
  }

  /// So many that the next one has them put together, unless something is in the way.
  private func fill() throws { try push(PackConsolidation.packCountMax - packs().count) }

  @Test func `packs do not grow with the number of pushes`() throws {
    for _ in 0..<4 {
      try push(PackConsolidation.packCountMax)
      #expect(try packs().count <= PackConsolidation.packCountMax + 1)
    }
    let left = try FileManager.default.contentsOfDirectory(atPath: directory)
    #expect(left.allSatisfy { $0.hasSuffix(".pack") || $0.hasSuffix(".idx") })
    try pipeline.expectEqual()
    // What git makes of them is one.
    try pipeline.checkout.git("gc", "-q", "--prune=now")
    #expect(try packs().count == 1)
    try pipeline.expectNextPushArrives()
  }

  @Test func `a checkout that was removed is not looked at for packs`() throws {
    let fleet = try TestFleet.started()
    let machine = fleet.machines[0]
    try FileManager.default.removeItem(atPath: machine.checkout.path)
    fleet.clock.advance(seconds: 61)
    _ = try fleet.step()
    try fleet.deliver()
    try machine.work()
    #expect(machine.log.count(of: "heartbeat-answered") == 1)
    #expect(machine.log.count(of: "consolidation-failed") == 0)
  }

  @Test func `packs that are put together hold every object, and take less room`() throws {
    try fill()
    let objects = try pipeline.checkout.git(
      "cat-file", "--batch-all-objects", "--batch-check", "--unordered")
    let before = try byteCount()
    try #require(try consolidation()).run()
    #expect(try packs().count == 1)
    #expect(try byteCount() < before)
    let after = try pipeline.checkout.git(
      "cat-file", "--batch-all-objects", "--batch-check", "--unordered")
    #expect(Set(after.split(separator: "\n")) == Set(objects.split(separator: "\n")))
    try pipeline.expectEqual()
  }

  private func byteCount() throws -> Int {
    try packs().reduce(0) { sum, name in
      let attributes = try FileManager.default.attributesOfItem(atPath: directory + "/" + name)
      return sum + (attributes[.size] as? Int ?? 0)
    }
  }

  /// One more than is left alone, made without the daemon's own look.
  private func consolidation() throws -> PackConsolidation? {
    let last = try #require(try packs().last).dropLast(".pack".count)
    for suffix in [".pack", ".idx"] {
      let copy = directory + "/pack-distro-" + String(repeating: "0", count: 40) + suffix
      if FileManager.default.fileExists(atPath: copy) { continue }
      try FileManager.default.copyItem(atPath: directory + "/" + last + suffix, toPath: copy)
    }
    return try PackConsolidation(of: Repository(opening: pipeline.checkout.path))
  }

  @Test func `a run that is killed before the old packs are gone loses nothing`() throws {
    try fill()
    let count = try packs().count
    let consolidation = try #require(try consolidation())
    #expect(throws: Stop.self) { try consolidation.run { throw Stop() } }
    // With the new one, and the one that `consolidation` has made.
    #expect(try packs().count == count + 2)
    #expect(try pipeline.checkout.fsck() == "")
    try push(1)
    #expect(try packs().count == 1)
    try pipeline.expectEqual()
  }

  @Test(arguments: ["keep", "mtimes", "promisor", "bitmap"])
  func `a pack that someone has marked is left alone`(mark: String) throws {
    try fill()
    let kept = try #require(try packs().first)
    let path = directory + "/" + kept.dropLast("pack".count) + mark
    try Data().write(to: URL(fileURLWithPath: path))
    try push(2)
    #expect(try packs().contains(kept))
    #expect(FileManager.default.fileExists(atPath: path))
  }

  @Test func `nothing is put together beside git's own way of doing it`() throws {
    try fill()
    #expect(try consolidation() != nil)
    let note = pipeline.checkout.path + "/.git/gc.pid"
    try Data("\(getpid()) host".utf8).write(to: URL(fileURLWithPath: note))
    #expect(try consolidation() == nil)
    try FileManager.default.removeItem(atPath: note)
    try pipeline.checkout.git("multi-pack-index", "write")
    #expect(try consolidation() == nil)
  }

  @Test func `packs of git's own are left to git`() throws {
    try pipeline.checkout.git("gc", "-q")
    let theirs = try packs()
    try push(PackConsolidation.packCountMax + 1)
    #expect(try theirs.allSatisfy(packs().contains))
  }
}
