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

  @Test func `unsafe stays in the lowest layers`() throws {
    let rows = try LayerTable().rows
    try Self.expectNone(
      of: /\bunsafe\b/, in: Self.handWritten().filter { rows[$0.target, default: .top].layer > 1 })
  }

  @Test func `no error is dropped`() throws {
    try Self.expectNone(of: /\btry[?!]/, in: Self.handWritten())
  }

  @Test func `nothing is unwrapped by force`() throws {
    try Self.expectNone(of: /[\w\)\]>]!(?!=)/, in: Self.handWritten())
  }

  @Test func `libraries do not print`() throws {
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

  /// Roles and the rest of the program know carriers, not transports.
  @Test func `a transport is named by its own targets and where the program lists them`() throws {
    try Self.expectNone(
      of: /\b(?:(?:Zero|Rabbit|Active|Iron)MQ|STOMP|NATS)\w*/,
      in: Self.handWritten().filter {
        ![
          "ZeroMQ", "ZeroMQCarrier", "RabbitMQ", "RabbitMQCarrier", "STOMP", "ActiveMQCarrier",
          "IronMQ", "IronMQCarrier", "NATS", "NATSCarrier",
        ].contains($0.target)
          && !$0.path.hasPrefix("Sources/distro/Carriers/")
      })
  }

  /// An error that reaches a person has a code; what is listed here becomes something else before that.
  @Test func `every error that a target shows has a code`() throws {
    let inner: Set = [
      "ExchangeFault", "StreamError", "UnsafePath", "Refusal", "Refused", "ApplyFlaw",
      "PatchObstacle", "TreeExcess", "Fault", "LargeFileReading", "PayloadFlaw", "SubmoduleFault",
      "SubmoduleFlaw", "SubmoduleListError",
    ]
    let texts = try Self.handWritten().map { SourceText(try Package.text($0.path)).code }
    let errors = texts.flatMap { text in
      text.matches(of: /package (?:enum|struct) (\w+)(?:<[^{]*>)?: [^{]*\bError\b/).map {
        String($0.output.1)
      }
    }
    try #require(errors.count > 12)
    let shown = Set(
      texts.flatMap { text in
        text.matches(of: /(\w+): [^{\n]*\bOperatorError\b/).map { String($0.output.1) }
      })
    #expect(Set(errors).subtracting(shown) == inner)
  }

  /// Of what a person is warned: what peers can cause as often as they like is limited, and this machine causes the rest.
  @Test func `every warning is limited or this machine's own`() throws {
    let own: Set = [
      "reload-failed", "role-failed", "role-hangs", "work-interrupted", "note-failed",
      "manager-unreachable", "fault", "receive-failed", "store-failed", "message-lost",
      "message-unreadable", "transfer-discarded", "message-expired", "sweep-failed",
      "checkout-blocked", "recovery-failed", "consolidation-failed", "rolled-back",
      "roll-back-failed", "command-failed", "deadline-exceeded",
      "metrics-failed", "healing-failed", "socket-failed", "identity-rejected",
      "directory-unreadable", "hook-kept", "hook-expired", "hook-secret-rejected",
      "certificate-rejected",
      "route-unknown",
      // Once for each failure that is news, and once an hour.
      "branch-failed", "source-failed",
      // Once for each change of a checkout's state.
      "stale",
      // Once for each submodule, and no more than 1,000 of a repository.
      "submodule-pinned",
      // Once for each way of notices that a reload takes away.
      "notices-discarded",
    ]
    let rows = try Package.text("docs/reference/events.md")
      .matches(of: /\n\| `([a-z-]+)` \| (warning|error|critical) \|.*\|(.*)\|/)
    try #require(rows.count > 30)
    let unlimited = Set(rows.filter { !$0.output.3.contains("yes") }.map { String($0.output.1) })
    #expect(unlimited == own)
  }

  @Test func `files stay short`() throws {
    for file in try Self.handWritten() {
      let count = try Package.text(file.path).count { $0 == "\n" }
      #expect(count <= Self.lineCountMax, "\(file.path)")
    }
  }

  @Test func `a search sees code and not what is said`() {
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
