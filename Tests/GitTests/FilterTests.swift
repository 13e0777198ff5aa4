import Git
import TestSupport
import Testing

struct FilterTests {
  private let repository: PipelineRepository

  init() throws {
    let folder = try PipelineFolder()
    repository = try PipelineRepository(making: folder.path("r"), in: folder)
  }

  private func set(_ command: String) throws {
    try Repository(opening: repository.path).setFilter("own", command: command)
  }

  private func value(_ word: String) throws -> String {
    try repository.git("config", "--local", "filter.own.\(word)")
  }

  @Test func `a filter that is not there is set`() throws {
    try set("'/opt/a b/distro' lfs-filter")
    #expect(try value("clean") == "'/opt/a b/distro' lfs-filter clean")
    #expect(try value("smudge") == "'/opt/a b/distro' lfs-filter smudge")
  }

  @Test func `a program that has moved is followed`() throws {
    try set("'/old/distro' lfs-filter")
    try set("'/new/distro' lfs-filter")
    #expect(try value("clean") == "'/new/distro' lfs-filter clean")
  }

  @Test func `a filter of someone else's stays`() throws {
    try repository.git("config", "filter.own.clean", "git-lfs clean -- %f")
    try repository.git("config", "filter.own.process", "git-lfs filter-process")
    try set("'/opt/distro' lfs-filter")
    #expect(try value("clean") == "git-lfs clean -- %f")
    #expect(try repository.run(["config", "filter.own.smudge"]).status == 1)
    try repository.git("config", "--unset", "filter.own.process")
    try set("'/opt/distro' lfs-filter")
    #expect(try value("clean") == "git-lfs clean -- %f")
  }
}
