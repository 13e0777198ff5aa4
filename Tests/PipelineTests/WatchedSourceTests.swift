import Foundation
import MessageFormat
import Signer
import TestSupport
import Testing

/// How often a daemon looks at a repository of this machine, in a time of the test's.
struct WatchedSourceTests {
  private let repository: PipelineRepository
  private var source: WatchedSource
  private var time = ContinuousClock.now

  init() throws {
    let folder = try PipelineFolder()
    repository = try PipelineRepository(making: folder.path("shop"), in: folder)
    try repository.commit(["a": "1\n"])
    let entry = SignerRepository(
      source: .local(path: repository.path), remote: try RemoteName("shop"),
      branches: BranchPatterns([try #require(BranchName("main"))]), recipients: [],
      history: .tip, pollSeconds: 1)
    let watched = WatchedSource([entry]) { 0.5 }
    source = try #require(watched)
  }

  /// How many of so many seconds have a look at the branches.
  private mutating func looks(
    in seconds: Int, _ result: WatchedSource.Result = .init()
  ) -> Int {
    var count = 0
    for _ in 0..<seconds {
      time += .seconds(1)
      guard source.takeTurn(at: time) else { continue }
      count += 1
      source.endTurn(result, at: time)
    }
    return count
  }

  @Test mutating func `a repository in which nothing moves costs a look at the times of files`()
    throws
  {
    // Twice, since a file's time has ticks.
    #expect(looks(in: 10) == 2)
    #expect(looks(in: 1_000) == 0)
    try repository.commit(["a": "2\n"])
    #expect(looks(in: 10) == 2)
    #expect(looks(in: 1_000) == 0)
  }

  @Test mutating func `a look that fails is taken again`() throws {
    #expect(looks(in: 10) == 2)
    var failed = WatchedSource.Result()
    failed.code = "repository-damaged"
    try repository.commit(["a": "2\n"])
    #expect(looks(in: 100, failed) > 10)
    #expect(looks(in: 10) > 0)
    #expect(looks(in: 1_000) == 0)
  }
}
