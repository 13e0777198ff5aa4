import Foundation
import Testing

/// docs/threat-model.md names the test that shows each of its claims: every one of them is there.
@Suite struct ThreatModelTests {
  /// What a document names in backquotes that can only be a test, a suite or a vector.
  private static func claims(in document: String) -> Set<String> {
    let spans = document.matches(of: /`([^`\n]+)`/).map { String($0.output.1) }
    return Set(
      spans.filter { span in
        let name = span.split(separator: "/").last.map(String.init) ?? span
        return name.wholeMatch(of: /[a-z][a-z0-9]*(?:[A-Z]\w*)+/) != nil
          || name.wholeMatch(of: /\w+Tests/) != nil
          || name.wholeMatch(of: /[a-z].* .*/) != nil && !name.hasPrefix("distro ")
      })
  }

  /// Every test function and suite below Tests, by the name that a document gives it.
  private static func tests() throws -> Set<String> {
    let root = Package.directory + "/Tests"
    var names: Set<String> = []
    for path in try FileManager.default.subpathsOfDirectory(atPath: root)
    where path.hasSuffix(".swift") {
      let text = try Package.text("Tests/" + path)
      names.formUnion(text.matches(of: /func (\w+)\(/).map { String($0.output.1) })
      names.formUnion(text.matches(of: /func `([^`]+)`\(/).map { String($0.output.1) })
      names.formUnion(text.matches(of: /struct (\w+Tests)\b/).map { String($0.output.1) })
    }
    return names
  }

  @Test func `every test that the threat model names is there`() throws {
    let claims = Self.claims(in: try Package.text("docs/threat-model.md"))
    try #require(claims.count > 100, "the claims were found")
    let tests = try Self.tests()
    for claim in claims.sorted() {
      let parts = claim.split(separator: "/").map(String.init)
      #expect(parts.allSatisfy(tests.contains), "no test is named '\(claim)'")
    }
  }

  /// The last column of its table.
  @Test func `every test that the table of clocks names is there`() throws {
    let text = try Package.text("docs/architecture.md")
    let section = try #require(text.split(separator: "\n## ").first { $0.hasPrefix("Clocks") })
    let cells = section.split(separator: "\n").filter { $0.hasPrefix("| ") }.compactMap { row in
      row.split(separator: "|").last
    }
    let claims = cells.dropFirst().flatMap { cell in
      cell.matches(of: /`([^`]+)`/).map { String($0.output.1) }
    }
    try #require(claims.count > 15)
    let tests = try Self.tests()
    for claim in claims { #expect(tests.contains(claim), "no test is named '\(claim)'") }
  }

  @Test func `every vector that the threat model names is there`() throws {
    let text = try Package.text("docs/threat-model.md")
    let names = text.matches(of: /vectors? `([a-z-]+)`/).map { String($0.output.1) }
    try #require(!names.isEmpty)
    for name in names {
      #expect(
        FileManager.default.fileExists(
          atPath: Package.directory + "/Tests/SealingTests/Vectors/\(name).txt"), "\(name)")
    }
  }

  @Test func `a claim is told from other words in backquotes`() {
    let document = """
      `refusesUnknownSigner`, `CanonicalTests`, `MessageTests/refuses`, `a heartbeat that comes again is dropped`;
      `trusted-signers:`, `.git`, `previous`, `distro status`, `expires_at`
      """
    #expect(
      Self.claims(in: document) == [
        "refusesUnknownSigner", "CanonicalTests", "a heartbeat that comes again is dropped",
      ])
  }
}
