import Applier
import Foundation
import GitModel
import MessageFormat
import TestSupport
import Testing

/// What of a repository a checkout takes, and when.
struct PolicyTests {
  private static func started(
    _ policy: CheckoutPolicy, files: [String: String] = ["public/a": "1\n", "docs/b": "1\n"]
  ) throws -> Pipeline {
    var options = PipelineOptions()
    options.policy = policy
    return try Pipeline.started(options, files: files)
  }

  @Test func `a message that touches another path than the allowed ones changes nothing`() throws {
    let pipeline = try Self.started(
      CheckoutPolicy(allowedPaths: [Glob("public/**"), Glob("docs/*")]))
    try pipeline.expectNextPushIsTaken(["public/x/y": "1\n", "docs/c": "1\n"])
    try pipeline.source.commit(["docs/deep/er": "1\n", "public/a": "2\n"])
    try pipeline.expectRefusal(.notPermitted) { try pipeline.send() }
    try pipeline.source.remove("docs/deep")
    try pipeline.source.commit(["public/a": "3\n"])
    #expect(try pipeline.push().map(\.refusal) == [nil])
    try pipeline.expectEqual()
  }

  @Test func `denied paths are neither added nor changed nor removed`() throws {
    let pipeline = try Self.started(
      CheckoutPolicy(deniedPaths: [Glob("**/.htaccess"), Glob("docs/**")]), files: ["a": "1\n"])
    for path in [".htaccess", "a-dir/.htaccess", "docs/x"] {
      try pipeline.source.commit([path: "1\n"])
      try pipeline.expectRefusal(.notPermitted) { try pipeline.send() }
      try pipeline.source.git("reset", "-q", "--hard", "HEAD~")
    }
    var options = PipelineOptions()
    options.policy = CheckoutPolicy(deniedPaths: [Glob("gone")])
    let other = try Pipeline(options)
    try other.source.commit(["gone": "1\n"])
    #expect(try other.push().map(\.refusal) == [.notPermitted])
    #expect(!FileManager.default.fileExists(atPath: other.checkout.path))
  }

  @Test func `submodules are refused where the checkout takes none`() throws {
    let pipeline = try Self.started(CheckoutPolicy(submodules: .refuse), files: ["a": "1\n"])
    try pipeline.source.git(
      "update-index", "--add", "--cacheinfo", "160000,\(try pipeline.source.id().hex),mod")
    try pipeline.source.git("commit", "-q", "-m", "submodule")
    try pipeline.expectRefusal(.notPermitted) { try pipeline.send() }
  }

  // MARK: - When

  /// 14 November 2023, a Tuesday, 22:13:20 UTC.
  private static let tuesday = Timestamp(milliseconds: 1_700_000_000_000)

  @Test(
    arguments: [
      ("Tue 22:13 - Tue 22:14 UTC", 40), ("Tue 22:14 - Tue 22:13 UTC", nil),
      ("Tue 16:00 - Wed 08:00 UTC", 35_200), ("Wed 08:00 - Tue 16:00 UTC", nil),
      ("Mon 23:00 - Tue 23:30 Europe/Berlin", 1_000), ("tue 23:13 - tue 23:20 Europe/Berlin", 400),
      ("22:00 - 06:00 UTC", 28_000), ("06:00 - 22:00 UTC", nil), ("00:00 - 23:00 UTC", 2_800),
      ("Tue 22:00 - Tue 21:00 UTC", 600_400),
    ] as [(String, UInt64?)])
  func `a window ends when it says`(text: String, seconds: UInt64?) throws {
    let window = try #require(NoApplyWindow(text))
    let end = window.end(at: Self.tuesday)
    #expect(end == seconds.map { Self.tuesday.adding(milliseconds: 1_000 * $0) }, "\(text)")
  }

  /// Clocks in Berlin go back at 3:00 of 29 October 2023.
  @Test func `a window of local time lasts an hour longer when clocks go back`() throws {
    let window = try #require(NoApplyWindow("Sun 00:00 - Sun 08:00 Europe/Berlin"))
    // Midnight there.
    let midnight = Timestamp(milliseconds: 1_698_530_400_000)
    #expect(window.end(at: midnight) == midnight.adding(milliseconds: 9 * 3_600_000))
  }

  @Test(arguments: [
    "", "Fri 16:00", "Fri 16:00 - Mon 08:00", "Fri 16:00 - 08:00 UTC", "Fri 24:00 - Mon 08:00 UTC",
    "Fri 1:00 - Mon 08:00 UTC", "Foo 16:00 - Mon 08:00 UTC", "Fri 16:00 - Fri 16:00 UTC",
    "Fri 16:00 - Mon 08:00 Nowhere/Town", "Fri 16:00 Mon 08:00 UTC", "a b c - d e",
  ])
  func `another text is refused as a window`(text: String) {
    #expect(NoApplyWindow(text) == nil)
  }

  @Test func `messages wait until the window has ended, and the signer is told until when`() throws
  {
    // Opens 100 s after the beginning, for an hour.
    let window = try #require(NoApplyWindow("Tue 22:15 - Tue 23:15 UTC"))
    let pipeline = try Self.started(CheckoutPolicy(noApply: [window]), files: ["a": "1\n"])
    pipeline.clock.advance(seconds: 200)
    let before = try pipeline.checkout.id()
    for number in 2...3 {
      try pipeline.source.commit(["a": "\(number)\n"])
      try pipeline.send()
    }
    let answers = try pipeline.deliver()
    guard case .blocked(.paused, let detail)? = answers.first?.outcome, answers.count == 1 else {
      Issue.record("\(answers)")
      return
    }
    #expect(detail.contains("2023-11-14T23:15:00Z"), "\(detail)")
    #expect(try pipeline.checkout.id() == before)
    // A restart forgets nothing.
    pipeline.restartWorker()
    try pipeline.work()
    _ = try pipeline.receipts()
    #expect(try pipeline.checkout.id() == before)
    pipeline.clock.advance(seconds: 3_600)
    pipeline.restartWorker()
    try pipeline.work()
    #expect(try pipeline.receipts().map(\.refusal) == [nil, nil])
    try pipeline.expectEqual()
  }
}

extension Pipeline {
  /// That a push of these files arrives.
  fileprivate func expectNextPushIsTaken(_ files: [String: String]) throws {
    try source.commit(files)
    #expect(try push().map(\.refusal) == [nil])
    try expectEqual()
  }
}
