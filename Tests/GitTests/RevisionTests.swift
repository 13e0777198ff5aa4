import Foundation
import Git
import GitModel
import Testing

struct RevisionTests {
  /// base - left - merge - tip, base - right - merge
  private static func history() throws -> (test: TestRepository, ids: [String: ObjectID]) {
    let test = try TestRepository()
    var ids = ["base": try test.commit(["a": "0\n"], "base")]
    try test.git(["checkout", "-q", "-b", "right"])
    ids["right"] = try test.commit(["b": "1\n"], "right")
    try test.git(["checkout", "-q", "main"])
    ids["left"] = try test.commit(["a": "1\n"], "left")
    try test.git(["merge", "-q", "--no-ff", "-m", "merge", "right"])
    ids["merge"] = try test.id("HEAD")
    ids["tip"] = try test.commit(["a": "2\n"], "tip")
    return (test, ids)
  }

  @Test func `resolves names to commits`() throws {
    let (test, ids) = try Self.history()
    try test.git(["tag", "-a", "v1", "-m", "one", ids["left", default: .zero].hex])
    let repository = try test.open()
    #expect(try repository.resolve("HEAD") == ids["tip"])
    #expect(try repository.resolve("HEAD~1^2") == ids["right"])
    #expect(try repository.resolve("v1") == ids["left"])
    #expect(
      try repository.resolve(String(ids["base", default: .zero].hex.prefix(10))) == ids["base"])
    for name in ["nothing", "HEAD~9", "a..b", "", "HEAD:a"] {
      #expect(throws: GitError.revisionMissing(name)) { try repository.resolve(name) }
    }
  }

  @Test(arguments: [false, true])
  func `orders history as git does`(isShallow: Bool) throws {
    let (test, ids) = try Self.history()
    let repository = try test.open()
    if isShallow {
      try repository.setShallow([ids["left", default: .zero], ids["right", default: .zero]])
    }
    for (from, ancestor) in ids {
      for (to, descendant) in ids {
        let answer = try test.run(
          ["merge-base", "--is-ancestor", from, to].map { ids[$0]?.hex ?? $0 })
        #expect(
          try repository.isAncestor(ancestor, of: descendant) == (answer.status == 0),
          "\(from) \(to)")
        let expected = try test.text(["rev-list", descendant.hex, "^" + ancestor.hex])
          .split(separator: "\n").map(String.init)
        let commits = try repository.commits(from: ancestor, to: descendant, countMax: 10)
        #expect(Set(commits.map(\.hex)) == Set(expected), "\(from) \(to)")
        #expect(commits.count == expected.count)
      }
    }
    let all = try repository.commits(from: nil, to: ids["tip", default: .zero], countMax: 10)
    #expect(all.count == (isShallow ? 4 : 5))
    for (index, id) in all.enumerated() where !isShallow {
      #expect(try repository.objects.commit(id).parents.allSatisfy(all[..<index].contains))
    }
  }

  @Test func `refuses history longer than allowed`() throws {
    let (test, ids) = try Self.history()
    #expect(throws: GitError.tooManyCommits(countMax: 4)) {
      try test.open().commits(from: nil, to: ids["tip", default: .zero], countMax: 4)
    }
  }

  @Test func `shallow boundary is what git reads`() throws {
    let (test, ids) = try Self.history()
    let origin = test.path
    try test.git(["clone", "-q", "--depth=1", "file://" + origin, test.directory + "/shallow"])
    let clone = try Repository(opening: test.directory + "/shallow")
    #expect(try clone.shallowBoundary() == [ids["tip", default: .zero]])
    #expect(try clone.isShallow)
    #expect(try !clone.isAncestor(ids["base", default: .zero], of: ids["tip", default: .zero]))
    #expect(
      try clone.commits(from: nil, to: ids["tip", default: .zero], countMax: 9)
        == [ids["tip", default: .zero]])
  }

  @Test func `commit without parents is fine behind shallow boundary`() throws {
    let (test, ids) = try Self.history()
    let tip = ids["tip", default: .zero]
    let source = try test.open()
    let target = try Repository.create(at: test.directory + "/target", branch: "refs/heads/main")
    let commit = try source.objects.commit(tip)
    for object in try source.objects.objects(of: commit.tree, notIn: nil) {
      try target.objects.write(object.kind, source.objects.read(object.id, object.kind))
    }
    #expect(try target.objects.write(.commit, commit.bytes) == tip)
    try target.setShallow([tip])
    try target.referenceMove(tip)
    let place = test.directory + "/target"
    for command in [
      ["log"], ["fsck", "--strict"], ["reset", "-q", "--hard"], ["gc", "-q"], ["status"],
    ] {
      try test.git(command, in: place)
    }
    #expect(
      try String(decoding: test.git(["rev-parse", "HEAD"], in: place), as: UTF8.self) == tip.hex
        + "\n")
    try target.setShallow([])
    #expect(!FileManager.default.fileExists(atPath: place + "/.git/shallow"))
    #expect(try !target.isShallow)
  }

  @Test func `refuses shallow file that is locked or malformed`() throws {
    let (test, _) = try Self.history()
    let repository = try test.open()
    try test.write(".git/shallow.lock", [])
    #expect(throws: GitError.locked(path: test.path + "/.git/shallow.lock")) {
      try repository.setShallow([])
    }
    try test.write(".git/shallow", Array("nonsense\n".utf8))
    #expect(throws: GitError.malformedShallowFile(path: test.path + "/.git/shallow")) {
      try repository.shallowBoundary()
    }
  }
}

extension Repository {
  fileprivate func setShallow(_ boundary: Set<ObjectID>) throws {
    let lock = try CheckoutLock(gitDirectory: gitDirectory)
    try setShallowBoundary(boundary, lock, patience: .zero)
  }

  /// `main`, which is not there yet.
  fileprivate func referenceMove(_ tip: ObjectID) throws {
    let lock = try CheckoutLock(gitDirectory: gitDirectory)
    try BranchLock("refs/heads/main", of: self, lock, patience: .zero)
      .move(from: nil, to: tip, message: "first")
  }
}
