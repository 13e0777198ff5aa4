import Foundation
import Testing

/// What the house rules forbid in Sources, and the formatter does not see. Generated files are not ours to judge.
@Suite struct HouseStyleTests {
  private static let lineCountMax = 300

  private static func handWritten() throws -> [(path: String, target: String)] {
    try Package.targetDirectories().sorted().flatMap { target in
      try Package.sources(of: target).filter { !$0.contains("/Generated/") }
        .map { (path: $0, target: target) }
    }
  }

  private static func expectNone(
    of pattern: Regex<Substring>, in files: [(path: String, target: String)],
    unless isFine: (Substring) -> Bool = { _ in false }
  ) throws {
    try #require(!files.isEmpty)
    for file in files {
      let code = SourceText(try Package.text(file.path)).code
      for match in code.matches(of: pattern) where !isFine(match.output) {
        let line = code[..<match.range.lowerBound].count { $0 == "\n" } + 1
        Issue.record("\(file.path):\(line): \(match.output)")
      }
    }
  }

  @Test func unsafeStaysInTheLowestLayers() throws {
    let rows = try LayerTable().rows
    try Self.expectNone(
      of: /\bunsafe\b/, in: Self.handWritten().filter { rows[$0.target, default: .top].layer > 1 })
  }

  @Test func noErrorIsDropped() throws {
    try Self.expectNone(of: /\btry[?!]/, in: Self.handWritten())
  }

  @Test func nothingIsUnwrappedByForce() throws {
    try Self.expectNone(of: /[\w\)\]>]!(?!=)/, in: Self.handWritten())
  }

  @Test func librariesDoNotPrint() throws {
    try Self.expectNone(
      of: /(?:func |\.)?\b(?:print|debugPrint|dump|NSLog)\(/,
      in: Self.handWritten().filter { !$0.target.hasPrefix("distro") },
      unless: { $0.hasPrefix("func ") || $0.hasPrefix(".") })
  }

  @Test func `a log line is an event of the closed list`() throws {
    try Self.expectNone(
      of: /\blog(?:ger)?\??\.(?:trace|debug|info|notice|warning|error|critical|log)\(/,
      in: Self.handWritten().filter { $0.target != "Diagnostics" })
  }

  /// On Linux it waits by the wall clock: where that is set back, for as long as the step.
  @Test func `nothing waits by the wall clock`() throws {
    try Self.expectNone(
      of: /\bDispatchSemaphore\b|\bNSCondition\b|\bDispatchWallTime\b/, in: Self.handWritten())
  }

  @Test func filesStayShort() throws {
    for file in try Self.handWritten() {
      let count = try Package.text(file.path).count { $0 == "\n" }
      #expect(count <= Self.lineCountMax, "\(file.path)")
    }
  }

  @Test func aSearchSeesCodeAndNotWhatIsSaid() {
    let text = SourceText(
      """
      let one = "try? \\(try! two("x)"))" // try?
      let three = four!
      """)
    #expect(text.code.matches(of: /try[?!]/).count == 1)
    #expect(text.code.matches(of: /\w!/).map(\.output) == ["y!", "r!"])
  }
}

extension LayerTable.Row {
  fileprivate static let top = LayerTable.Row(layer: .max, mayImport: [])
}
