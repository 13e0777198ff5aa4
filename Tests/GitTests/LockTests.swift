import Foundation
import Git
import GitModel
import Testing

struct LockTests {
  @Test func `only one holds the checkout`() throws {
    let test = try TestRepository()
    let directory = test.path + "/.git/"
    do {
      let held = try CheckoutLock(gitDirectory: directory)
      #expect(throws: GitError.heldByAnother(path: directory + "distro.lock")) {
        _ = try CheckoutLock(gitDirectory: directory)
      }
      _ = consume held
    }
    _ = try CheckoutLock(gitDirectory: directory)
    #expect(try test.text(["status", "--porcelain"]).isEmpty)
  }

  @Test func `refuses lock in missing directory`() {
    #expect(throws: GitError.system(call: "open", path: "/nowhere/distro.lock", code: ENOENT)) {
      _ = try CheckoutLock(gitDirectory: "/nowhere")
    }
  }

  /// However old they are: git may be waiting for a person's editor.
  @Test func `locks that are not ours are never removed`() throws {
    let test = try TestRepository()
    try test.commit(["a": "1\n"])
    let git = test.path + "/.git/"
    let theirs = [
      "index.lock", "HEAD.lock", "shallow.lock", "refs/heads/main.lock",
      "objects/tmp_object_git2_1", "objects/incoming-abcdef/pack/tmp",
    ]
    for name in theirs {
      try test.write(".git/" + name, [])
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSince1970: 0)], ofItemAtPath: git + name)
    }
    let lock = try CheckoutLock(gitDirectory: git)
    try test.open().removeLeftovers(branch: "refs/heads/main", lock)
    for name in theirs { #expect(FileManager.default.fileExists(atPath: git + name)) }
    #expect(throws: GitError.locked(path: git + "index.lock")) {
      _ = try lock.take(git + "index", patience: .zero)
    }
    #expect(throws: GitError.referenceNameInvalid("../config")) {
      try test.open().removeLeftovers(branch: "../config", lock)
    }
  }

  @Test func `locks that a killed run has taken are taken over or removed`() throws {
    let test = try TestRepository()
    try test.commit(["a": "1\n"])
    let git = test.path + "/.git/"
    let names = ["index", "HEAD", "shallow", "refs/heads/main"]
    // As a run leaves them that is killed: the names stay, the claim goes.
    _ = try CheckoutLock(gitDirectory: git)
    for name in names {
      #expect(unsafe link(git + "distro.lock", git + name + ".lock") == 0)
    }
    try test.write(".git/objects/distro-incoming-abcdef/pack/tmp", [])
    #expect(try test.run(["commit", "-q", "--allow-empty", "-m", "x"]).status != 0)
    let lock = try CheckoutLock(gitDirectory: git)
    let held = try lock.take(git + "index", patience: .zero)
    #expect(try lock.isOurs(held.path))
    try test.open().removeLeftovers(branch: "refs/heads/main", lock)
    for name in names {
      #expect(!FileManager.default.fileExists(atPath: git + name + ".lock"), "\(name)")
    }
    #expect(!FileManager.default.fileExists(atPath: git + "objects/distro-incoming-abcdef"))
    try test.git(["commit", "-q", "--allow-empty", "-m", "x"])
  }

  @Test func `a lock of git's keeps git out until it is let go`() throws {
    let test = try TestRepository()
    try test.commit(["a": "1\n"])
    let git = test.path + "/.git/"
    let lock = try CheckoutLock(gitDirectory: git)
    do {
      let held = try lock.take(git + "index", patience: .zero)
      try test.write("a", "2\n".utf8)
      #expect(try test.run(["add", "a"]).status == 128)
      // Someone removed it, and git has one of its own now: that one stays.
      try FileManager.default.removeItem(atPath: held.path)
      try test.write(".git/index.lock", "git's".utf8)
      withExtendedLifetime(held) {}
    }
    #expect(FileManager.default.fileExists(atPath: git + "index.lock"))
  }
}
