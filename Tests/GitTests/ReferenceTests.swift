import Foundation
import Git
import GitModel
import Testing

struct ReferenceTests {
  private let main = "refs/heads/main"

  @Test func movesBranchThatIsWhereExpected() throws {
    let test = try TestRepository()
    let first = try test.commit(["a": "1\n"])
    let second = try test.commit(["a": "2\n"])
    let repository = try test.open()
    try repository.compareAndSwap(main, from: second, to: first, message: "distro: back")
    #expect(try test.id("main") == first)
    #expect(try repository.referenceTarget(main) == first)
    #expect(try test.text(["reflog", "-1", "--format=%gs", "main"]) == "distro: back")
    #expect(try test.text(["reflog", "-1", "--format=%gs", "HEAD"]) == "distro: back")
    try test.git(["fsck", "--strict"])
  }

  @Test(arguments: [false, true])
  func refusesBranchThatMovedMeanwhile(isPacked: Bool) throws {
    let test = try TestRepository()
    let first = try test.commit(["a": "1\n"])
    let second = try test.commit(["a": "2\n"])
    if isPacked { try test.git(["pack-refs", "--all"]) }
    let repository = try test.open()
    #expect(throws: GitError.referenceMoved(name: main, expected: first, actual: second)) {
      try repository.compareAndSwap(main, from: first, to: first, message: "x")
    }
    #expect(throws: GitError.referenceMoved(name: main, expected: nil, actual: second)) {
      try repository.compareAndSwap(main, from: nil, to: first, message: "x")
    }
    #expect(throws: GitError.referenceMoved(name: "refs/heads/no", expected: first, actual: nil)) {
      try repository.compareAndSwap("refs/heads/no", from: first, to: second, message: "x")
    }
    #expect(try test.id("main") == second)
    #expect(try test.files(below: ".git/refs").allSatisfy { !$0.hasSuffix(".lock") })
  }

  @Test func createsBranchThatIsNotThere() throws {
    let test = try TestRepository()
    let commit = try test.commit(["a": "1\n"])
    let repository = try test.open()
    try repository.compareAndSwap("refs/heads/x/y", from: nil, to: commit, message: "new")
    #expect(try test.id("x/y") == commit)
  }

  @Test(arguments: [false, true])
  func refusesBranchWithAnotherInItsWay(isPacked: Bool) throws {
    let test = try TestRepository()
    let commit = try test.commit(["a": "1\n"])
    try test.git(["branch", "a/b"])
    if isPacked { try test.git(["pack-refs", "--all"]) }
    let repository = try test.open()
    for name in ["refs/heads/a", "refs/heads/a/b/c"] {
      #expect(throws: GitError.referenceBlocked(name: name, by: "refs/heads/a/b")) {
        try repository.compareAndSwap(name, from: nil, to: commit, message: "x")
      }
    }
  }

  @Test func refusesBranchThatGitHasLocked() throws {
    let test = try TestRepository()
    let commit = try test.commit(["a": "1\n"])
    try test.write(".git/refs/heads/main.lock", [])
    let repository = try test.open()
    #expect(throws: GitError.locked(path: test.path + "/.git/refs/heads/main.lock")) {
      try repository.compareAndSwap(main, from: commit, to: commit, message: "x")
    }
  }

  @Test func refusesObjectThatIsNotThere() throws {
    let test = try TestRepository()
    let absent = try ObjectDatabase.hash(.blob, [1])
    #expect(throws: GitError.objectMissing(absent)) {
      try test.open().compareAndSwap(main, from: nil, to: absent, message: "x")
    }
  }

  @Test func onlyOneOfManyMovesTheBranch() async throws {
    let test = try TestRepository()
    let base = try test.commit(["a": "0\n"])
    var tips: [ObjectID] = []
    for number in 1...8 {
      try test.git(["checkout", "-q", "--detach", base.hex])
      tips.append(try test.commit(["a": "\(number)\n"], "tip \(number)"))
    }
    let path = test.path
    let winners = await withTaskGroup(of: ObjectID?.self) { group in
      for tip in tips {
        group.addTask {
          do {
            let repository = try Repository(opening: path)
            try repository.compareAndSwap("refs/heads/main", from: base, to: tip, message: "race")
            return tip
          } catch {
            return nil
          }
        }
      }
      return await group.reduce(into: [ObjectID]()) { if let tip = $1 { $0.append(tip) } }
    }
    #expect(winners.count == 1)
    #expect(try test.id("main") == winners.first)
  }

  @Test func putsHeadOnBranchAndTellsWhenItIsDetached() throws {
    let test = try TestRepository()
    let commit = try test.commit(["a": "1\n"])
    let repository = try test.open()
    try repository.setHead(symbolic: "refs/heads/later")
    #expect(try test.text(["symbolic-ref", "HEAD"]) == "refs/heads/later")
    #expect(try repository.headCommit() == nil)
    try test.git(["checkout", "-q", "--detach", commit.hex])
    #expect(try repository.headSymbolicTarget() == nil)
    #expect(try repository.headCommit() == commit)
    #expect(throws: GitError.referenceNameInvalid("no good")) {
      try repository.setHead(symbolic: "no good")
    }
  }
}
