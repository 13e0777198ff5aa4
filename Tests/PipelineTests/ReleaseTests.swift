import Applier
import Foundation
import GitModel
import Glibc
import MessageFormat
import Programs
import Synchronization
import TestSupport
import Testing

/// A checkout with a directory for each revision, and a link to the one in use.
struct ReleaseTests {
  private static func options(
    keep: Int = 3, shared: [String] = [], commands: CheckoutCommands = .none
  ) throws -> PipelineOptions {
    var options = PipelineOptions(largeFiles: .ship)
    options.layout = .releases(
      ReleaseSettings(keep: keep, shared: try shared.map { try TreePath($0) }))
    options.commands = commands
    return options
  }

  private static func names(_ pipeline: Pipeline) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: pipeline.folder.path("live/releases"))
      .sorted()
  }

  private static func link(_ pipeline: Pipeline) throws -> String {
    try FileManager.default.destinationOfSymbolicLink(
      atPath: pipeline.folder.path("live/current"))
  }

  private static func expectNothingLeft(_ pipeline: Pipeline) throws {
    let live = try FileManager.default.contentsOfDirectory(atPath: pipeline.folder.path("live"))
    #expect(Set(live).isSubset(of: ["current", "releases", "repository.git", "shared"]))
    let repository = pipeline.folder.path("live/repository.git")
    let left = try FileManager.default.subpathsOfDirectory(atPath: repository).filter {
      $0.hasSuffix(".lock") && !$0.hasSuffix("distro.lock") || $0.hasSuffix(".keep")
        || $0.contains("distro-incoming") || $0.contains("distro-staging/")
    }
    #expect(left == [])
    let linked = try FileManager.default.contentsOfDirectory(atPath: repository + "/worktrees")
    #expect(try linked.sorted() == names(pipeline))
    #expect(try pipeline.journalCount() == 0)
  }

  @Test func `each revision of a history is a working checkout of its own`() throws {
    let pipeline = try Pipeline(try Self.options())
    let history = try PipelineHistory.make(24, in: pipeline.source, seed: 7)
    for revision in history {
      #expect(try pipeline.push(to: revision.hex).map(\.refusal) == [nil])
      try pipeline.expectEqual(to: revision.hex)
      #expect(try Self.names(pipeline).count <= 3)
    }
    let path = try pipeline.checkout.git("rev-parse", "--abbrev-ref", "HEAD")
    #expect(path == "HEAD")
    let listed = try pipeline.checkout.git("worktree", "list", "--porcelain")
    for name in try Self.names(pipeline) {
      #expect(listed.contains("/live/releases/\(name)\n"))
      let release = PipelineRepository(
        at: pipeline.folder.path("live/releases/\(name)"), in: pipeline.folder)
      #expect(try release.status() == "")
      #expect(name.hasSuffix("-" + (try release.id().hex.prefix(12))))
    }
    try pipeline.checkout.git("gc", "-q", "--prune=now")
    try Self.expectNothingLeft(pipeline)
    try pipeline.expectNextPushArrives()
  }

  /// Each commit has one number in all files.
  @Test func `a reader never sees a mixture of two revisions`() throws {
    let pipeline = try Pipeline(try Self.options(keep: 100))
    func files(_ number: Int) -> [String: String] {
      Dictionary(uniqueKeysWithValues: (0..<40).map { ("d\($0 % 7)/f\($0)", "\(number)\n") })
    }
    try pipeline.source.commit(files(0))
    try pipeline.push()
    let reader = Reader(current: pipeline.checkout.path, fileCount: 40)
    try reader.start()
    for number in 1...60 {
      try pipeline.source.commit(files(number))
      try pipeline.push()
    }
    let (looks, mixed) = reader.stop()
    #expect(looks > 10 && mixed == 0, "\(looks) \(mixed)")
    try pipeline.expectEqual()
  }

  /// Reads all files through the link, again and again, on a thread of its own.
  private final class Reader: Sendable {
    private struct State {
      var looks = 0
      var mixed = 0
      var isToEnd = false
      var hasEnded = false
    }

    private let state = Mutex(State())
    private let current: String
    private let fileCount: Int

    init(current: String, fileCount: Int) {
      self.current = current
      self.fileCount = fileCount
    }

    func start() throws {
      Thread { [self] in
        while !state.withLock({ $0.isToEnd }) {
          let seen = look()
          state.withLock { state in
            state.looks += 1
            if seen.count != 1 { state.mixed += 1 }
          }
        }
        state.withLock { $0.hasEnded = true }
      }.start()
    }

    private func look() -> Set<Data?> {
      let directory = URL(fileURLWithPath: current).resolvingSymlinksInPath().path
      return Set(
        (0..<fileCount).map { number in
          FileManager.default.contents(atPath: directory + "/d\(number % 7)/f\(number)")
        })
    }

    func stop() -> (looks: Int, mixed: Int) {
      state.withLock { $0.isToEnd = true }
      _ = becomesTrue { state.withLock { $0.hasEnded } }
      return state.withLock { ($0.looks, $0.mixed) }
    }
  }

  @Test func `releases share what is configured, and git sees nothing of it`() throws {
    let pipeline = try Pipeline(try Self.options(shared: [".env", "var/storage", "odd [name] *"]))
    let shared = pipeline.folder.path("live/shared/var/storage")
    try FileManager.default.createDirectory(atPath: shared, withIntermediateDirectories: true)
    try pipeline.folder.write("live/shared/.env", "secret\n")
    try pipeline.source.commit(["a": "1\n", "var/code": "1\n"])
    #expect(try pipeline.push().map(\.refusal) == [nil])
    try pipeline.expectEqual()
    let current = pipeline.checkout.path
    #expect(try String(contentsOfFile: current + "/.env", encoding: .utf8) == "secret\n")
    try Data("kept\n".utf8).write(to: URL(fileURLWithPath: current + "/var/storage/upload"))
    try pipeline.expectNextPushArrives()
    #expect(
      try String(contentsOfFile: current + "/var/storage/upload", encoding: .utf8) == "kept\n")
    // What would be both is neither written nor hidden.
    try pipeline.source.commit(["var/storage/tracked": "1\n"])
    let before = try Self.link(pipeline)
    #expect(try pipeline.push().map(\.refusal) == [.checkoutUnusable])
    #expect(try Self.link(pipeline) == before)
    try Self.expectNothingLeft(pipeline)
  }

  @Test func `a directory that holds other files is left alone`() throws {
    let pipeline = try Pipeline(try Self.options())
    let live = PipelineRepository(at: pipeline.folder.path("live"), in: pipeline.folder)
    try live.write("theirs", "theirs\n")
    try pipeline.source.commit(["a": "1\n"])
    #expect(try pipeline.push().map(\.refusal) == [.checkoutUnusable])
    #expect(try FileManager.default.contentsOfDirectory(atPath: live.path) == ["theirs"])
    try live.remove("theirs")
    #expect(try pipeline.push(from: .nothing).map(\.refusal) == [nil])
    try pipeline.expectEqual()
  }

  @Test func `a link that people have moved is brought to the newest release`() throws {
    let pipeline = try Pipeline(try Self.options())
    try pipeline.source.commit(["a": "1\n"])
    try pipeline.push()
    let link = pipeline.folder.path("live/current")
    try FileManager.default.removeItem(atPath: link)
    try pipeline.expectNextPushArrives()
    try FileManager.default.removeItem(atPath: link)
    try FileManager.default.createDirectory(atPath: link, withIntermediateDirectories: false)
    try Data("theirs".utf8).write(to: URL(fileURLWithPath: link + "/theirs"))
    try pipeline.source.commit(["a": "2\n"])
    try pipeline.push()
    #expect(pipeline.worker.fault != nil)
    #expect(FileManager.default.fileExists(atPath: link + "/theirs"))
    try FileManager.default.removeItem(atPath: link)
    pipeline.restartWorker()
    try pipeline.work()
    #expect(try pipeline.receipts().map(\.refusal) == [nil])
    try pipeline.expectEqual()
  }

  @Test func `old releases go, except what people have changed`() throws {
    let pipeline = try Pipeline(try Self.options(keep: 2))
    try pipeline.source.commit(["a": "1\n"])
    try pipeline.push()
    let changed = try #require(try Self.names(pipeline).first)
    try pipeline.checkout.write("a", "mine\n")
    for number in 2...5 {
      try pipeline.source.commit(["a": "\(number)\n"])
      try pipeline.push()
      try pipeline.expectEqual()
    }
    #expect(try Self.names(pipeline).count == 3)
    #expect(
      try String(
        contentsOfFile: pipeline.folder.path("live/releases/\(changed)/a"), encoding: .utf8)
        == "mine\n")
  }

  @Test func `large files are in each release`() throws {
    let pipeline = try Pipeline(try Self.options())
    try pipeline.source.commit([
      ".gitattributes": Pipeline.attributes, "big.bin": try pipeline.largeFile("large\n"),
      "a": "1\n",
    ])
    #expect(try pipeline.push().map(\.refusal) == [nil])
    try pipeline.source.commit(["a": "2\n"])
    #expect(try pipeline.push().map(\.refusal) == [nil])
    let file = pipeline.checkout.path + "/big.bin"
    #expect(try String(contentsOfFile: file, encoding: .utf8) == "large\n")
    try pipeline.expectEqual()
    // A content in the place of its pointer is no change by hand.
    for _ in 0..<4 { try pipeline.expectNextPushArrives() }
    #expect(try Self.names(pipeline).count == 3)
  }

  @Test func `a revision that fails leaves the link at the release before`() async throws {
    try await onThread {
      let folder = try PipelineFolder()
      let test = ConfiguredProgram(
        "/bin/sh",
        ["-c", "pwd >>'\(folder.path)/ran'; test -e '\(folder.path)/works'"],
        deadline: .seconds(60))
      let pipeline = try Pipeline(
        try Self.options(commands: CheckoutCommands(afterApply: test, onFailure: test)))
      try folder.write("works", "")
      try pipeline.source.commit(["a": "1\n"])
      #expect(try pipeline.push().map(\.refusal) == [nil])
      let (before, link) = (try pipeline.source.id(), try Self.link(pipeline))
      try FileManager.default.removeItem(atPath: folder.path("works"))
      try pipeline.source.commit(["a": "2\n"])
      #expect(try pipeline.push().map(\.refusal) == [.rolledBack])
      #expect(try Self.link(pipeline) == link)
      try pipeline.expectEqual(to: before.hex)
      try Self.expectNothingLeft(pipeline)
      // The command ran in the new release, the one about the failure in the one that stands.
      let ran = try String(contentsOfFile: folder.path("ran"), encoding: .utf8)
        .split(separator: "\n").map { $0.split(separator: "/").last ?? "" }
      let names = try Self.names(pipeline)
      #expect(ran == [Substring(names[0]), Substring(names[1]), Substring(names[0])])
      try folder.write("works", "")
      try pipeline.source.commit(["a": "3\n"])
      #expect(try pipeline.push(from: .nothing).map(\.refusal) == [nil])
      try pipeline.expectEqual()
    }
  }

  // MARK: - Killed

  private static let phases: [StepPhase] = [
    .prepared, .locked, .kept, .recorded, .exchanged, .branchLocked, .branchMoved, .published,
    .released, .settled, .activated, .answered,
  ]

  private static func work(in path: String, until phase: String) throws {
    let pipeline = try Pipeline(try options(), in: PipelineFolder(existing: path))
    pipeline.restartWorker { if $0.rawValue == phase { Glibc.kill(getpid(), SIGKILL) } }
    try pipeline.work()
  }

  @Test(arguments: phases)
  func `a killed step leaves a release or none`(phase: StepPhase) async throws {
    let folder = try PipelineFolder()
    let start = try Pipeline(try Self.options(), in: folder, makingSource: true)
    try start.source.commit(["a": "1\n", "b/c": "1\n"])
    try start.push()
    let before = try start.source.id()
    try start.source.remove("b")
    let after = try start.source.commit(["a": "2\n", "b": "2\n"])
    try start.send()
    try start.transfer()
    await #expect(processExitsWith: .signal(SIGKILL)) {
      [path = folder.path as String, phase = phase.rawValue as String] in
      try Self.work(in: path, until: phase)
    }
    let pipeline = try Pipeline(try Self.options(), in: folder)
    // Whatever was done, a reader sees one of the two.
    let seen = try pipeline.checkout.id()
    #expect(seen == before || seen == after)
    #expect(try pipeline.checkout.status() == "")
    try pipeline.work()
    #expect(try pipeline.receipts().map(\.refusal) == [nil])
    try pipeline.expectEqual()
    try Self.expectNothingLeft(pipeline)
    try pipeline.expectNextPushArrives()
  }

  struct Fault: Error {}

  @Test(arguments: phases)
  func `a fault leaves a release or none, and the next run makes it`(phase: StepPhase) throws {
    let pipeline = try Pipeline(try Self.options())
    try pipeline.source.commit(["a": "1\n"])
    try pipeline.push()
    try pipeline.source.commit(["a": "2\n", "b": "2\n"])
    try pipeline.send()
    try pipeline.transfer()
    pipeline.restartWorker { if $0 == phase { throw Fault() } }
    try pipeline.work()
    #expect(pipeline.worker.fault?.reason is Fault)
    #expect(try pipeline.checkout.status() == "")
    pipeline.restartWorker()
    try pipeline.work()
    #expect(try pipeline.receipts().map(\.refusal) == [nil])
    try pipeline.expectEqual()
    try Self.expectNothingLeft(pipeline)
  }
}
