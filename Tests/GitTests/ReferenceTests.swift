import Foundation
import Git
import GitModel
import Testing

struct ReferenceTests {
  private let main = "refs/heads/main"

  /// As a step does it: both locks, a look, the move.
  private static func move(
    _ repository: Repository, _ name: String, from old: ObjectID?, to new: ObjectID,
    message: String = "x"
  ) throws {
    let lock = try CheckoutLock(gitDirectory: repository.gitDirectory)
    let branch = try BranchLock(name, of: repository, lock, patience: .zero)
    let actual = try branch.state.branch
    guard actual == old else {
      throw GitError.referenceMoved(name: name, expected: old, actual: actual)
    }
    try branch.move(from: old, to: new, message: message)
  }

  @Test func `moves branch that is where expected`() throws {
    let test = try TestRepository()
    let first = try test.commit(["a": "1\n"])
    let second = try test.commit(["a": "2\n"])
    let repository = try test.open()
    try Self.move(repository, main, from: second, to: first, message: "distro: back")
    #expect(try test.id("main") == first)
    #expect(try repository.referenceTarget(main) == first)
    #expect(try test.text(["reflog", "-1", "--format=%gs", "main"]) == "distro: back")
    #expect(try test.text(["reflog", "-1", "--format=%gs", "HEAD"]) == "distro: back")
    try test.git(["fsck", "--strict"])
  }

  @Test(arguments: [false, true])
  func `refuses branch that moved meanwhile`(isPacked: Bool) throws {
    let test = try TestRepository()
    let first = try test.commit(["a": "1\n"])
    let second = try test.commit(["a": "2\n"])
    if isPacked { try test.git(["pack-refs", "--all"]) }
    let repository = try test.open()
    #expect(throws: GitError.referenceMoved(name: main, expected: first, actual: second)) {
      try Self.move(repository, main, from: first, to: first, message: "x")
    }
    #expect(throws: GitError.referenceMoved(name: main, expected: nil, actual: second)) {
      try Self.move(repository, main, from: nil, to: first, message: "x")
    }
    #expect(throws: GitError.referenceMoved(name: "refs/heads/no", expected: first, actual: nil)) {
      try Self.move(repository, "refs/heads/no", from: first, to: second, message: "x")
    }
    #expect(try test.id("main") == second)
    #expect(try test.files(below: ".git/refs").allSatisfy { !$0.hasSuffix(".lock") })
  }

  @Test func `creates branch that is not there`() throws {
    let test = try TestRepository()
    let commit = try test.commit(["a": "1\n"])
    let repository = try test.open()
    try Self.move(repository, "refs/heads/x/y", from: nil, to: commit, message: "new")
    #expect(try test.id("x/y") == commit)
  }

  @Test(arguments: [false, true])
  func `refuses branch with another in its way`(isPacked: Bool) throws {
    let test = try TestRepository()
    let commit = try test.commit(["a": "1\n"])
    try test.git(["branch", "a/b"])
    if isPacked { try test.git(["pack-refs", "--all"]) }
    let repository = try test.open()
    for name in ["refs/heads/a", "refs/heads/a/b/c"] {
      #expect(throws: GitError.referenceBlocked(name: name, by: "refs/heads/a/b")) {
        try Self.move(repository, name, from: nil, to: commit, message: "x")
      }
    }
  }

  @Test func `refuses branch that git has locked`() throws {
    let test = try TestRepository()
    let commit = try test.commit(["a": "1\n"])
    try test.write(".git/refs/heads/main.lock", [])
    let repository = try test.open()
    #expect(throws: GitError.locked(path: test.path + "/.git/refs/heads/main.lock")) {
      try Self.move(repository, main, from: commit, to: commit, message: "x")
    }
  }

  @Test func `refuses object that is not there`() throws {
    let test = try TestRepository()
    let absent = try ObjectDatabase.hash(.blob, [1])
    #expect(throws: GitError.objectMissing(absent)) {
      try Self.move(try test.open(), main, from: nil, to: absent, message: "x")
    }
  }

  @Test func `git cannot move HEAD or the branch while they are locked`() throws {
    let test = try TestRepository()
    let first = try test.commit(["a": "1\n"])
    let second = try test.commit(["a": "2\n"])
    let repository = try test.open()
    do {
      let lock = try CheckoutLock(gitDirectory: repository.gitDirectory)
      let branch = try BranchLock(main, of: repository, lock, patience: .zero)
      #expect(try branch.state.head == main)
      #expect(try branch.state.branch == second)
      #expect(try test.run(["update-ref", main, first.hex]).status != 0)
      #expect(try test.run(["checkout", "-q", "-b", "other"]).status != 0)
      withExtendedLifetime(branch) {}
    }
    try test.git(["update-ref", main, first.hex])
    #expect(try test.id("main") == first)
  }

  /// A branch of the same name below it leaves a directory when it goes.
  @Test func `an empty directory is not in the way of a branch`() throws {
    let test = try TestRepository()
    let commit = try test.commit(["a": "1\n"])
    for directory in [".git/refs/heads/x/y", ".git/logs/refs/heads/x/y"] {
      try FileManager.default.createDirectory(
        atPath: test.path + "/" + directory, withIntermediateDirectories: true)
    }
    try Self.move(test.open(), "refs/heads/x", from: nil, to: commit)
    #expect(try test.id("x") == commit)
  }

  @Test(arguments: ["", "\0\0\0\0", "no object's name\n"])
  func `a damaged branch is told by name, and can be moved`(content: String) throws {
    let test = try TestRepository()
    let commit = try test.commit(["a": "1\n"])
    try test.write(".git/refs/heads/main", content.utf8)
    let repository = try test.open()
    #expect(throws: GitError.referenceDamaged(name: main)) {
      try Self.move(repository, main, from: commit, to: commit)
    }
    #expect(repository.isDamaged(main))
    let lock = try CheckoutLock(gitDirectory: repository.gitDirectory)
    try BranchLock(main, of: repository, lock, patience: .zero)
      .move(from: nil, to: commit, message: "mended")
    #expect(try test.id("main") == commit)
  }

  @Test(arguments: ["group", "0640", "world"])
  func `what others may do in a shared repository is what git says`(shared: String) throws {
    let test = try TestRepository()
    let commit = try test.commit(["a": "1\n"])
    try test.git(["config", "core.sharedRepository", shared])
    try Self.move(test.open(), "refs/heads/deep/ours", from: nil, to: commit)
    try test.git(["branch", "deep/git"])
    for place in ["refs/heads/deep/", "logs/refs/heads/deep/"] {
      let modes = ["ours", "git"].map { name in
        var status = stat()
        #expect(unsafe lstat(test.path + "/.git/" + place + name, &status) == 0)
        return status.st_mode & 0o7777
      }
      #expect(modes[0] == modes[1], "\(place)")
    }
  }

  @Test func `puts head on branch and tells when it is detached`() throws {
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
