import MessageFormat
import Testing

@Suite struct BranchNameTests {
  @Test(arguments: [
    "main", "feature/login", "a.b", "x-y", "@x", "x@", "1", "{x}", "ünïcode", "日本", "a{b", "locks",
    "x.lock.y", "\u{301}x",
  ]) func `takes what git takes`(short: String) throws {
    let name = try #require(BranchName(fullName: "refs/heads/" + short))
    #expect(name.fullName == "refs/heads/" + short)
    #expect(Array(name.shortName.utf8) == Array(short.utf8))
  }

  @Test(arguments: [
    "", "/", "a/", "/a", "a//b", ".", "..", ".a", "a/.b", "a..b", "a.", "a./b", "a.lock",
    "a.lock/b", "@", "a@{b", "a b", "a~b", "a^b", "a:b", "a?b", "a*b", "a[b", "a\\b", "a\tb",
    "a\nb", "a\u{7f}b", "a\0b", "-a", "a/-b",
  ]) func `refuses what git refuses or takes for an option`(short: String) {
    #expect(BranchName(fullName: "refs/heads/" + short) == nil)
  }

  /// To text, a letter and the accent behind it are one character; to git they are bytes.
  @Test(arguments: [
    "a..\u{301}b", "a//\u{301}b", "a/.\u{301}b", "a@{\u{301}b", "a.lock/\u{301}b", "a/\u{301}./b",
  ]) func `refuses them behind accents too`(short: String) {
    #expect(BranchName(fullName: "refs/heads/" + short) == nil)
  }

  @Test(arguments: ["main", "refs/tags/v1", "refs/remotes/origin/main", "refs/heads", "HEAD", ""])
  func `refuses what is no branch`(name: String) {
    #expect(BranchName(fullName: name) == nil)
  }

  @Test func `takes names up to 255 bytes`() {
    let prefix = "refs/heads/"
    let longest = prefix + String(repeating: "b", count: 255 - prefix.utf8.count)
    #expect(BranchName(fullName: longest) != nil)
    #expect(BranchName(fullName: longest + "b") == nil)
  }

  @Test func `tells apart what only looks the same`() throws {
    let composed = try #require(BranchName(fullName: "refs/heads/\u{e9}"))
    let decomposed = try #require(BranchName(fullName: "refs/heads/e\u{301}"))
    #expect(composed != decomposed)
    #expect(Set([composed, decomposed]).count == 2)
  }

  @Test func `reads what people type`() {
    #expect(BranchName("main")?.fullName == "refs/heads/main")
    #expect(BranchName("refs/heads/main")?.fullName == "refs/heads/main")
    #expect(BranchName("refs/tags/v1") == nil)
  }
}
