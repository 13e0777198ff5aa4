import Foundation
import TestSupport
import Testing

/// Submodules that arrive as the ids of their commits, and what is said of it.
struct SubmoduleTests {
  private static let event = "event=submodule-pinned"

  private let installation: Installation
  private var source: PipelineRepository { installation.source }
  private var checkout: PipelineRepository { installation.checkout }

  init() throws {
    installation = try Installation(.init(pollSeconds: "1"))
    try source.commit(["a": "1\n"])
  }

  /// Gives a path the id of a commit, as `git submodule add` does.
  private func pin(_ path: String, _ digit: Character) throws {
    try source.git("config", "--file", ".gitmodules", "submodule.\(path).path", path)
    try source.git("config", "--file", ".gitmodules", "submodule.\(path).url", "../\(path).git")
    try source.git("add", ".gitmodules")
    let id = String(repeating: digit, count: 40)
    try source.git("update-index", "--add", "--cacheinfo", "160000,\(id),\(path)")
    try source.git("commit", "-q", "-m", "\(path) at \(digit)")
  }

  private func expectPinned(_ path: String, _ digit: Character) throws {
    #expect(try checkout.id() == source.id())
    #expect(try checkout.status() == "")
    let id = String(repeating: digit, count: 40)
    #expect(try checkout.git("ls-files", "-s", path) == "160000 \(id) 0\t\(path)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: checkout.path + "/" + path) == [])
    #expect(try checkout.git("submodule", "status", path) == "-\(id) \(path)")
  }

  private func noticeCount(_ result: ProgramResult, _ path: String) -> Int {
    #expect(result.status == 0, "\(result.errors)")
    let words = "the submodule \"\(path)\" arrives as the id of its commit, without its files"
    return result.errors.components(separatedBy: words).count - 1
  }

  @Test(arguments: Installation.Way.allCases)
  func `a submodule arrives as its commit, and that is said once`(way: Installation.Way) throws {
    installation.options.pollSeconds = "never"
    try installation.use(way)
    let daemon = try installation.startDaemon()
    try pin("module", "1")
    #expect(try noticeCount(installation.sendMain(), "module") == 1)
    try expectPinned("module", "1")
    try pin("module", "2")
    #expect(try noticeCount(installation.sendMain(), "module") == 0)
    try expectPinned("module", "2")
    // Another one is news; the first one is none, wherever a message starts.
    try pin("dir/other", "3")
    let both = try installation.send("--ref", "main", "--snapshot")
    #expect(noticeCount(both, "dir/other") == 1)
    #expect(noticeCount(both, "module") == 0)
    try expectPinned("dir/other", "3")
    if way == .daemon, let signer = installation.signer {
      #expect(signer.log.components(separatedBy: Self.event).count == 3, "\(signer.log)")
      #expect(signer.end().status == 0)
    }
    #expect(daemon.end().status == 0)
  }

  @Test func `a daemon that looks by itself says so once in its log`() throws {
    let daemon = try installation.startDaemon()
    try installation.use(.daemon)
    let signer = try installation.startSigner()
    try pin("module", "1")
    let line = try signer.line(with: Self.event)
    #expect(line.contains("module") && line.contains(Installation.remote))
    try #require(try becomesTrue { try checkout.stands(at: source.id().hex) })
    try expectPinned("module", "1")
    try pin("module", "2")
    try #require(try becomesTrue { try checkout.stands(at: source.id().hex) })
    try expectPinned("module", "2")
    #expect(signer.end().status == 0)
    #expect(signer.log.components(separatedBy: Self.event).count == 2, "\(signer.log)")
    #expect(daemon.end().status == 0)
  }

  @Test func `doctor names submodules that arrive without files`() throws {
    let before = try Examination(installation, "signer.yaml")
    #expect(!before.findings.contains { $0.finding.contains("submodules") })
    try pin("module", "1")
    try Examination(installation, "signer.yaml").expect(
      "warning", "repository", "submodules arrive without their files: \"module\"",
      advice: "docs/how-to/submodules.md")
  }
}
