import GitModel
import Testing

/// Patterns of names and paths, by what `git check-ignore` says of the same.
struct GlobTests {
  @Test(arguments: [
    ("a", ["a"], ["b", "aa", "a/b", ""]),
    ("*", ["a", ".env"], ["a/b"]),
    ("a*", ["a", "abc"], ["ba", "a/b"]),
    ("?.c", ["a.c", "ä.c"], ["ab.c", "/.c"]),
    ("**", ["a", "a/b/c"], []),
    ("src/**", ["src/a", "src/a/b"], ["src", "a/src/b"]),
    ("src/*", ["src/a"], ["src/a/b"]),
    ("**/.env", [".env", "a/.env", "a/b/.env"], ["a.env", ".env/a", "x.env"]),
    ("a/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["ab", "a/xb", "x/a/b"]),
    ("**/*.php", ["a.php", "a/b.php"], ["a.phps"]),
    ("release/*", ["release/1"], ["release", "release/1/2"]),
  ])
  func `a pattern stands for these and not for those`(
    pattern: String, those: [String], others: [String]
  ) {
    let glob = Glob(pattern)
    for text in those { #expect(glob.matches(text), "\(text)") }
    for text in others { #expect(!glob.matches(text), "\(text)") }
  }
}
