import Foundation
import Git
import GitModel
import Testing

struct LockTests {
  @Test func onlyOneHoldsTheCheckout() throws {
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

  @Test func refusesLockInMissingDirectory() {
    #expect(throws: GitError.system(call: "open", path: "/nowhere/distro.lock", code: ENOENT)) {
      _ = try CheckoutLock(gitDirectory: "/nowhere")
    }
  }

  @Test func removesOnlyWhatIsOld() throws {
    let test = try TestRepository()
    try test.commit(["a": "1\n"])
    let git = test.path + "/.git/"
    let old = [
      "index.lock", "refs/heads/main.lock", "objects/tmp_object_git2_1",
      "objects/incoming-abcdef/pack/tmp",
    ]
    let kept = ["HEAD.lock", "refs/heads/other.lock", "objects/tmp_object_git2_2"]
    for name in old + kept { try test.write(".git/" + name, []) }
    let past = [FileAttributeKey.modificationDate: Date(timeIntervalSinceNow: -3_600)]
    for name in [
      "index.lock", "refs/heads/main.lock", "refs/heads/other.lock", "objects/incoming-abcdef",
      "objects/tmp_object_git2_1",
    ] {
      try FileManager.default.setAttributes(past, ofItemAtPath: git + name)
    }
    // However long the rest of this takes, it is new.
    let future = [FileAttributeKey.modificationDate: Date(timeIntervalSinceNow: 3_600)]
    try FileManager.default.setAttributes(future, ofItemAtPath: git + "objects/tmp_object_git2_2")
    let lock = try CheckoutLock(gitDirectory: git)
    let removed = try test.open().removeLeftovers(
      branch: "refs/heads/main", olderThan: .seconds(600), lock)
    #expect(
      Set(removed) == [
        git + "index.lock", git + "refs/heads/main.lock", git + "objects/incoming-abcdef",
        git + "objects/tmp_object_git2_1",
      ])
    #expect(throws: GitError.referenceNameInvalid("../config")) {
      try test.open().removeLeftovers(branch: "../config", olderThan: .zero, lock)
    }
    for name in old { #expect(!FileManager.default.fileExists(atPath: git + name)) }
    for name in kept {
      #expect(FileManager.default.fileExists(atPath: git + name))
    }
  }
}
