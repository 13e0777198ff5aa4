import Foundation
import GitModel
import Programs
import TestSupport
import Testing

import Upstreams

/// Mirrors of a repository behind `file://`: what is fetched, what is not, and what is left.
struct MirrorTests {
  private let fixture: UpstreamFixture

  init() throws { fixture = try UpstreamFixture() }

  @Test func `a mirror is made and follows the upstream`() async throws {
    let mirror = try fixture.mirror()
    #expect(!mirror.isThere)
    #expect(
      try await onThread { try mirror.tips(["refs/heads/main"]) } == [
        "refs/heads/main": fixture.work.id()
      ])
    #expect(!mirror.isThere, "a question makes nothing")
    #expect(try await UpstreamFixture.fetch(mirror) == ["refs/heads/main": fixture.work.id()])
    let next = try fixture.commit(["a": "2\n"])
    #expect(try await UpstreamFixture.fetch(mirror) == ["refs/heads/main": next])
    // By force, to another history.
    try fixture.work.git("checkout", "-q", "--orphan", "other")
    let other = try fixture.work.commit(["b": "1\n"])
    try fixture.push("other:main")
    #expect(try await UpstreamFixture.fetch(mirror) == ["refs/heads/main": other])
    #expect(try fixture.git(in: mirror).fsck() == "")
    let names = try FileManager.default.contentsOfDirectory(
      atPath: fixture.folder.path("upstreams"))
    #expect(names.count == 2 && names.contains("home"))
    let rights = try FileManager.default.attributesOfItem(
      atPath: fixture.folder.path("upstreams/home"))
    #expect(rights[.posixPermissions] as? Int == 0o700)
  }

  @Test func `only what was asked for is fetched`() async throws {
    for name in ["release/1", "release/2/hot", "private"] {
      try fixture.push("main:refs/heads/" + name)
    }
    try fixture.work.git("tag", "v1")
    try fixture.push("v1")
    let mirror = try fixture.mirror()
    let tips = try await UpstreamFixture.fetch(mirror, ["refs/heads/release/*"])
    #expect(Set(tips.keys) == ["refs/heads/release/1", "refs/heads/release/2/hot"])
    let all = try fixture.git(in: mirror).git("for-each-ref", "--format=%(refname)")
    #expect(!all.contains("tags") && !all.contains("private"))
  }

  @Test func `a branch in the way of a new name makes room`() async throws {
    try fixture.push("main:a", "main:b/c")
    let mirror = try fixture.mirror()
    let patterns = ["refs/heads/**"]
    try await UpstreamFixture.fetch(mirror, patterns)
    try fixture.push(":a", ":b/c", "main:a/b", "main:b")
    let tips = try await UpstreamFixture.fetch(mirror, patterns)
    #expect(
      Set(tips.keys) == ["refs/heads/main", "refs/heads/a/b", "refs/heads/b"])
    // One that is only gone keeps its name here.
    try fixture.push(":a/b")
    #expect(try await UpstreamFixture.fetch(mirror, patterns)["refs/heads/a/b"] != nil)
  }

  @Test func `objects with faults of old programs are fetched`() async throws {
    let (tree, parent) = (try fixture.work.tree(), try fixture.work.id())
    for commit in OddCommits.all where !["header without an end", "NUL byte"].contains(commit.name)
    {
      let id = try fixture.work.git(
        "hash-object", "-t", "commit", "-w", "--stdin", "--literally",
        input: commit.bytes(tree: tree, parent: parent))
      try fixture.bare.git("fetch", "-q", fixture.work.path, "main")
      try fixture.push("\(id):refs/heads/main")
      let mirror = try fixture.mirror("file://" + fixture.bare.path)
      #expect(try await UpstreamFixture.fetch(mirror)["refs/heads/main"]?.hex == id, "\(commit)")
    }
  }

  @Test
  func `objects that git takes for an attack are refused, and the other branches are fetched`()
    async throws
  {
    let blob = try fixture.work.id("HEAD:a")
    let inner = try fixture.work.git("mktree", input: Array("100644 blob \(blob)\tconfig\n".utf8))
    let entry = Array("40000 .git\0".utf8) + (try #require(ObjectID(hex: inner))).bytes
    let tree = try fixture.work.git(
      "hash-object", "-t", "tree", "-w", "--stdin", "--literally", input: entry)
    let commit = try fixture.work.git("commit-tree", "-m", "evil", tree)
    try fixture.push("\(commit):refs/heads/evil", "main:good")
    let mirror = try fixture.mirror()
    let error = await failure { try await UpstreamFixture.fetch(mirror, ["refs/heads/**"]) }
    #expect(error?.code == .upstreamContent, "\(error as Any)")
    #expect(error?.description.contains("hasDotgit") == true, "\(error as Any)")
    #expect(
      Set(try mirror.localTips().keys) == ["refs/heads/main", "refs/heads/good"])
  }

  @Test func `an upstream that is not there is named`() async throws {
    let none = try fixture.mirror("file:///nowhere/at-all.git")
    let error = await refusal(of: none)
    #expect(error?.code == .upstreamMissing, "\(error as Any)")
    #expect(error?.isLasting == true)
  }

  @Test func `settings of the user and the machine are not read`() async throws {
    let home = fixture.folder.path("upstreams/home")
    try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
    try Data("[url \"file:///nowhere\"]\n  insteadOf = file://\n".utf8)
      .write(to: URL(fileURLWithPath: home + "/.gitconfig"))
    #expect(try await UpstreamFixture.fetch(try fixture.mirror()).count == 1)
  }

  @Test func `what a killed fetch has left is removed`() async throws {
    let mirror = try fixture.mirror()
    try await UpstreamFixture.fetch(mirror)
    let leftovers = [
      "objects/pack/tmp_pack_x", "objects/pack/.tmp-1-pack-x.pack",
      "objects/tmp_objdir-incoming-x/y",
      "refs/heads/main.lock", "packed-refs.lock",
    ].map { mirror.path + "/" + $0 }
    for path in leftovers {
      let url = URL(fileURLWithPath: path)
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data("x".utf8).write(to: url)
    }
    try fixture.commit(["a": "2\n"])
    #expect(await failure { try await UpstreamFixture.fetch(mirror) }?.code == .repositoryLocked)
    #expect(leftovers.allSatisfy { !FileManager.default.fileExists(atPath: $0) })
    #expect(try await UpstreamFixture.fetch(mirror)["refs/heads/main"] == fixture.work.id())
  }

  @Test func `one process at a time works in a mirror`() async throws {
    let mirror = try fixture.mirror()
    try await UpstreamFixture.fetch(mirror)
    let lock = unsafe open(mirror.path, O_RDONLY | O_DIRECTORY)
    defer { close(lock) }
    try #require(flock(lock, LOCK_EX | LOCK_NB) == 0)
    try fixture.commit(["a": "2\n"])
    #expect(await failure { try await UpstreamFixture.fetch(mirror) }?.code == .repositoryLocked)
  }

  // MARK: - Upkeep

  private func keepUp(
    _ mirror: Mirror, keeping kept: @escaping @Sendable () -> Set<ObjectID>
  ) async throws -> Mirror.Upkeep {
    try await onThread { try mirror.upkeep(keeping: kept) }
  }

  @Test func `packs of many fetches are put together`() async throws {
    let mirror = try fixture.mirror()
    for number in 0..<25 {
      try fixture.commit(["a": "\(number)\n"])
      try await UpstreamFixture.fetch(mirror)
    }
    func packCount() throws -> Int {
      try FileManager.default.contentsOfDirectory(atPath: mirror.path + "/objects/pack")
        .count { $0.hasSuffix(".pack") }
    }
    #expect(try packCount() == 25)
    #expect(try await keepUp(mirror) { [] } == .repacked)
    #expect(try packCount() < 5)
    #expect(try await keepUp(mirror) { [] } == .nothing)
    #expect(try fixture.git(in: mirror).fsck() == "")
  }

  @Test func `a mirror that doubles loses what nothing needs, and keeps what is needed`()
    async throws
  {
    let mirror = try fixture.mirror()
    var ids: [ObjectID] = []
    for number in 0..<5 {
      try fixture.work.git("checkout", "-q", "--orphan", "o\(number)")
      let bytes = Data(PatchCases.randomBytes(20 << 20, seed: UInt64(number)))
      try bytes.write(to: URL(fileURLWithPath: fixture.work.path + "/large"))
      ids.append(try fixture.work.commit([:]))
      try fixture.push("HEAD:main")
      try await UpstreamFixture.fetch(mirror)
    }
    // As old as it would be in a day.
    for name in try FileManager.default.contentsOfDirectory(atPath: mirror.path + "/objects/pack") {
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSinceNow: -86_400)],
        ofItemAtPath: mirror.path + "/objects/pack/" + name)
    }
    let kept = ids[1]
    let missing = try #require(ObjectID(hex: String(repeating: "1", count: 40)))
    #expect(try await keepUp(mirror) { [kept, missing] } == .collected)
    let git = fixture.git(in: mirror)
    for (number, id) in ids.enumerated() {
      let isThere = try git.run(["cat-file", "-e", id.hex]).status == 0
      #expect(isThere == (number == 1 || number == 4), "\(number)")
    }
    #expect(try git.fsck() == "")
    #expect(try await keepUp(mirror) { [] } == .nothing)
  }
}
