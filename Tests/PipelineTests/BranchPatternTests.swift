import MessageFormat
import Signer
import Testing

/// Patterns under `branches:`.
struct BranchPatternTests {
  @Test(arguments: [
    ("main", "main", true), ("main", "main2", false), ("refs/heads/main", "main", true),
    ("release/*", "release/1.0", true), ("release/*", "release/1/hot", false),
    ("release/*", "release", false), ("release/**", "release/1/hot", true),
    ("**", "a/b/c", true), ("*", "a", true), ("*", "a/b", false), ("v?", "v1", true),
    ("v?", "v10", false), ("v?", "v/", false), ("a*c", "abc", true), ("a*c", "ac", true),
    ("a*c", "ab", false), ("**/fix-*", "a/b/fix-1", true), ("*-*", "x-y-z", true),
    ("ä*", "äö", true),
  ])
  func `a pattern fits names`(pattern: String, name: String, fits: Bool) throws {
    let pattern = try #require(BranchPattern(pattern))
    guard let branch = BranchName(name) else {
      #expect(!fits)
      return
    }
    #expect(pattern.matches(branch) == fits)
  }

  @Test(arguments: [
    "", "refs/tags/*", "-*", "a..*", "a//*", "*.lock", "[ab]", "a b*", "a\\*", "*/", "/*", ".*",
    "~*",
  ])
  func `what no branch could be called is refused`(text: String) {
    #expect(BranchPattern(text) == nil)
  }

  @Test func `a pattern with many stars ends`() throws {
    let pattern = try #require(BranchPattern(String(repeating: "*a", count: 100) + "b"))
    let branch = try #require(BranchName(String(repeating: "a", count: 240)))
    #expect(!pattern.matches(branch))
  }
}
