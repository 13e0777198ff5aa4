import Foundation
import Git
import TestSupport
import Testing

/// What git does to branches is noticed by the times of files alone; and nothing else is.
struct ReferenceWatchTests {
  private let repository: PipelineRepository

  init() throws {
    let folder = try PipelineFolder()
    repository = try PipelineRepository(making: folder.path("r"), in: folder)
    try repository.commit(["a": "1\n"])
  }

  /// Looks until nothing is left to be said.
  private func settle(_ watch: inout ReferenceWatch) throws {
    while try watch.mayHaveMoved() {}
  }

  @Test func `every move of a branch is noticed, and then nothing`() throws {
    var watch = ReferenceWatch(repository.path + "/.git/")
    #expect(try watch.mayHaveMoved())
    try settle(&watch)
    let steps: [[String]] = [
      ["commit", "-q", "--allow-empty", "-m", "next"], ["branch", "x/y/z"],
      ["branch", "-f", "x/y/z", "HEAD~1"], ["pack-refs", "--all", "--prune"],
      ["update-ref", "refs/heads/main", "HEAD~1"], ["branch", "-D", "x/y/z"], ["branch", "x"],
    ]
    for step in steps {
      #expect(try repository.run(step).status == 0, "\(step)")
      #expect(try watch.mayHaveMoved(), "\(step)")
      // Once more, since a file's time has ticks.
      #expect(try watch.mayHaveMoved(), "\(step)")
      #expect(try !watch.mayHaveMoved(), "\(step)")
    }
  }

  @Test func `what is no branch is not looked at`() throws {
    var watch = ReferenceWatch(repository.path + "/.git/")
    try settle(&watch)
    try repository.git("tag", "v1")
    try repository.write("b", "untracked\n")
    try repository.git("add", "b")
    #expect(try !watch.mayHaveMoved())
  }

  @Test func `branches are listed, packed or not`() throws {
    try repository.git("branch", "a/b")
    try repository.git("pack-refs", "--all")
    try repository.git("branch", "c")
    try repository.git("tag", "v1")
    let branches = try Repository(opening: repository.path).branches()
    #expect(Set(branches.keys) == ["refs/heads/main", "refs/heads/a/b", "refs/heads/c"])
    #expect(branches["refs/heads/a/b"] == (try repository.id()))
  }
}
