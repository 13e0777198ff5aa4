import Foundation
import Logging
import MessageFormat
import Signer
import TestSupport
import Testing
import Upstreams

/// What a program that hears of pushes says at the signer's socket: that something has moved in a repository, by its name.
struct HintTests {
  private let pipeline: Pipeline
  private let host: PipelineRepository
  private let server: IntakeServer
  private let path: String

  init() throws {
    let pipeline = try Pipeline()
    self.pipeline = pipeline
    let folder = pipeline.folder
    host = PipelineRepository(at: folder.path("host.git"), in: folder)
    path = folder.path("signer.sock")
    try pipeline.source.commit(["a": "1\n"])
    let place = Mirror.Place(
      UpstreamSettings(url: try UpstreamURL("file://" + host.path)),
      below: pipeline.signerSettings.state + "/upstreams")
    let pattern = try #require(BranchPattern("release/*"))
    let repository = SignerRepository(
      source: .upstream(place), remote: Pipeline.remote,
      branches: BranchPatterns([BranchPattern(pipeline.main), pattern]),
      recipients: [pipeline.applier.public], history: .tip)
    let settings = SignerSettings(
      identity: pipeline.signer, state: pipeline.signerSettings.state, carriers: [],
      repositories: [repository], lifetimeMilliseconds: 86_400_000,
      socket: SignerSocket(path: path, mode: 0o600))
    let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let clock = pipeline.clock
    let delivery = Delivery(
      settings, outbox: pipeline.outbox, progress: .init { _, _, _ in }, log: log,
      now: { clock.now })
    server = try IntakeServer(
      settings, outbox: pipeline.outbox, delivery: delivery, log: log, now: { clock.now })
    let server = server
    Thread { server.run() }.start()
  }

  private func makeHost() throws {
    try pipeline.source.git("clone", "-q", "--bare", pipeline.source.path, host.path)
  }

  private func push(_ refspec: String = "main") throws {
    try pipeline.source.git("push", "-q", "--force", host.path, refspec)
  }

  private func hint(
    _ refs: [String] = [], remote: String = Pipeline.remote.text
  ) async throws -> (result: IntakeResult, notices: [String]) {
    try await Self.hint(refs, remote: remote, at: path)
  }

  private static func hint(
    _ refs: [String], remote: String, at path: String
  ) async throws -> (result: IntakeResult, notices: [String]) {
    try await onThread {
      let client = IntakeClient(path)
      var notices: [String] = []
      let result = try client.ask(
        PushRequest(
          repository: remote, isNamed: true, subject: .moved(refs: refs), patience: .zero)
      ) { report in
        if case .notice(let text) = report { notices.append(text) }
      }
      return (result, notices)
    }
  }

  private func expectHead(sourceLocation: SourceLocation = #_sourceLocation) throws {
    #expect(
      try pipeline.outbox.head(of: pipeline.stream)?.revision == pipeline.source.id("main"),
      sourceLocation: sourceLocation)
  }

  @Test func `an answered hint is in the outbox`() async throws {
    defer { server.stop() }
    try makeHost()
    #expect(try await hint(["refs/heads/main"]).result.failureCount == 0)
    try expectHead()
    try pipeline.source.commit(["a": "2\n"])
    try push()
    // By the upstream's own name, and without a ref.
    _ = try await hint(remote: "file://" + host.path)
    try expectHead()
    // By force, between the hook and the fetch.
    try pipeline.source.git("reset", "-q", "--hard", "HEAD~1")
    try pipeline.source.commit(["b": "1\n"])
    try push()
    _ = try await hint(["refs/heads/main"])
    try expectHead()
  }

  @Test func `a ref that is not configured is named, and nothing is fetched for it`() async throws {
    defer { server.stop() }
    let answer = try await hint(["refs/heads/feature", "refs/tags/v1", "refs/heads/release/a/b"])
    #expect(answer.notices.count == 3)
    #expect(answer.notices.allSatisfy { $0.contains("not among the configured branches") })
    // There is no upstream at all.
    #expect(answer.result.failureCount == 0)
  }

  @Test func `a hint that cannot be followed is refused by a name`() async throws {
    defer { server.stop() }
    func code(_ body: () async throws -> Void) async throws -> String {
      do {
        try await body()
        return "none"
      } catch let error as IntakeError {
        return error.code.rawValue
      }
    }
    #expect(try await code { _ = try await hint(remote: "git@example.org:x") } == "not-configured")
    #expect(try await code { _ = try await hint(remote: "") } == "request-invalid")
    #expect(try await code { _ = try await hint() } == "upstream-missing")
    try makeHost()
    _ = try await hint()
    try expectHead()
  }

  @Test func `a burst of hints comes to the newest tip`() async throws {
    defer { server.stop() }
    try makeHost()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<30 {
        try pipeline.source.commit(["a": "\(number)\n"])
        try push()
        group.addTask { [path] in
          _ = try await Self.hint(["refs/heads/main"], remote: Pipeline.remote.text, at: path)
        }
      }
      try await group.waitForAll()
    }
    try expectHead()
  }
}
