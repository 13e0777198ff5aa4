import Foundation
import Git
import GitModel
import MessageFormat
import Signer
import TestSupport
import Testing

/// What arrives, and what git says of it at the other end.
struct ArrivalTests {
  @Test func `snapshot makes missing checkout`() throws {
    let pipeline = try Pipeline()
    try pipeline.source.commit(["a": "1\n", "b/c": "2\n"])
    let receipts = try pipeline.push()
    #expect(receipts.map(\.refusal) == [nil])
    #expect(receipts.first?.revision == (try pipeline.source.id()))
    try pipeline.expectEqual()
    #expect(try pipeline.checkout.git("config", "remote.origin.url") == Pipeline.remote.text)
    #expect(try pipeline.checkout.git("symbolic-ref", "HEAD") == "refs/heads/main")
  }

  @Test func `snapshot fills empty directory`() throws {
    let pipeline = try Pipeline()
    try FileManager.default.createDirectory(
      atPath: pipeline.checkout.path, withIntermediateDirectories: false)
    try pipeline.source.commit(["a": "1\n"])
    #expect(try pipeline.push().map(\.refusal) == [nil])
    try pipeline.expectEqual()
  }

  @Test func `signer sees what became of its message`() throws {
    let pipeline = try Pipeline.started()
    let state = try pipeline.outbox.newest()
    #expect(state.map(\.state) == [.applied])
    #expect(state.first?.revision == (try pipeline.source.id()))
    #expect(try pipeline.outbox.unstored().isEmpty && pipeline.outbox.unanswered().isEmpty)
  }

  @Test func `tip of several commits is a shallow history that git works with`() throws {
    let pipeline = try Pipeline.started()
    for number in 1...3 { try pipeline.source.commit(["a": "\(number)\n"], "number \(number)") }
    #expect(try pipeline.push().map(\.refusal) == [nil])
    try pipeline.expectEqual()
    #expect(try pipeline.checkout.git("log", "--format=%s") == "number 3")
    #expect(try pipeline.checkout.git("rev-parse", "--is-shallow-repository") == "true")
    try pipeline.checkout.git("gc", "-q", "--prune=now")
    try pipeline.expectEqual()
    // One commit more stands on one that is there.
    try pipeline.source.commit(["a": "4\n"], "number 4")
    #expect(try pipeline.push().map(\.refusal) == [nil])
    #expect(try pipeline.checkout.git("log", "--format=%s") == "number 4\nnumber 3")
    try pipeline.expectEqual()
  }

  @Test func `force push arrives`() throws {
    let pipeline = try Pipeline.started()
    try pipeline.source.commit(["a": "one way\n", "gone": "x\n"])
    try pipeline.push()
    try pipeline.source.git("reset", "--hard", "-q", "HEAD~1")
    try pipeline.source.commit(["a": "the other way\n", "new": "y\n"])
    #expect(try pipeline.push().map(\.refusal) == [nil])
    try pipeline.expectEqual()
    try pipeline.expectNextPushArrives()
  }

  @Test func `branch goes back to an older revision`() throws {
    let pipeline = try Pipeline.started()
    try pipeline.source.commit(["a": "newer\n", "d": "x\n"])
    try pipeline.push()
    try pipeline.source.git("reset", "--hard", "-q", "HEAD~1")
    #expect(try pipeline.push().map(\.refusal) == [nil])
    try pipeline.expectEqual()
  }

  @Test(arguments: [SignerRepository.History.tip, .full])
  func `merge octopus and second root arrive`(history: SignerRepository.History) throws {
    let pipeline = try Pipeline.started(PipelineOptions(history: history))
    let source = pipeline.source
    for name in ["one", "two", "three"] {
      try source.git("checkout", "-q", "-b", name, "main")
      try source.commit(["from-\(name)": "\(name)\n"], name)
    }
    try source.git("checkout", "-q", "--orphan", "root")
    try source.git("rm", "-rfq", ".")
    try source.commit(["from-root": "root\n"], "another root")
    try source.git("checkout", "-q", "main")
    try source.git("merge", "-q", "--no-ff", "-m", "merge", "one")
    #expect(try pipeline.push().map(\.refusal) == [nil])
    try pipeline.expectEqual()
    try source.git("merge", "-q", "-m", "octopus", "two", "three")
    try source.git("merge", "-q", "--allow-unrelated-histories", "-m", "roots", "root")
    #expect(try pipeline.push().map(\.refusal) == [nil])
    try pipeline.expectEqual()
    try pipeline.checkout.git("gc", "-q", "--prune=now")
    try pipeline.expectEqual()
    guard history == .full else { return }
    try Self.expectSameHistory(pipeline)
  }

  @Test func `full history shows every commit in log and blame`() throws {
    let pipeline = try Pipeline(PipelineOptions(history: .full, symbolicLinks: .any))
    let commits = try PipelineHistory.make(60, in: pipeline.source, seed: 7)
    try pipeline.push(to: commits[19].hex)
    try pipeline.expectEqual(to: commits[19].hex)
    try pipeline.push()
    try pipeline.expectEqual()
    try Self.expectSameHistory(pipeline)
    for name in try pipeline.source.git("ls-files", "src").split(separator: "\n").prefix(5) {
      let arguments = ["blame", "--porcelain", String(name)]
      #expect(try pipeline.checkout.run(arguments).output == pipeline.source.run(arguments).output)
    }
  }

  private static func expectSameHistory(_ pipeline: Pipeline) throws {
    let log = ["log", "--format=raw", "--stat", "main"]
    #expect(try pipeline.checkout.run(log).output == pipeline.source.run(log).output)
    #expect(try pipeline.checkout.git("rev-parse", "--is-shallow-repository") == "false")
  }

  @Test func `submodule entries arrive`() throws {
    let pipeline = try Pipeline.started()
    let id = try pipeline.source.id()
    try pipeline.source.git("update-index", "--add", "--cacheinfo", "160000,\(id),module")
    try pipeline.source.git("commit", "-q", "-m", "submodule")
    #expect(try pipeline.push().map(\.refusal) == [nil])
    #expect(try pipeline.checkout.id() == pipeline.source.id())
    #expect(try pipeline.checkout.git("ls-files", "-s", "module").hasPrefix("160000 \(id)"))
    #expect(try pipeline.checkout.status() == "")
  }

  @Test func `large change travels as a pack`() throws {
    let pipeline = try Pipeline.started()
    let bytes = PatchCases.randomBytes(3 << 20, seed: 1)
    try Data(bytes).write(to: URL(fileURLWithPath: pipeline.source.path + "/large"))
    try pipeline.source.commit(["a": "2\n"])
    #expect(try pipeline.push().map(\.refusal) == [nil])
    #expect(try pipeline.outbox.newest().first?.kind == "pack")
    try pipeline.expectEqual()
  }

  @Test func `messages that queue up are applied in one step`() throws {
    let pipeline = try Pipeline.started()
    for number in 1...20 {
      try pipeline.source.commit(["a": "\(number)\n", "n\(number)": "new\n"])
      try pipeline.send()
    }
    try pipeline.transfer()
    #expect(try pipeline.work() == 1)
    let receipts = try pipeline.receipts()
    #expect(receipts.count == 20 && receipts.allSatisfy { $0.refusal == nil })
    try pipeline.expectEqual()
  }

  @Test func `untouched local changes stay`() throws {
    let pipeline = try Pipeline.started(files: ["a": "1\n", "b/c": "2\n", "mine": "3\n"])
    try pipeline.checkout.write("mine", "changed here\n")
    try pipeline.checkout.write("untracked", "also mine\n")
    try pipeline.source.commit(["a": "2\n"])
    #expect(try pipeline.push().map(\.refusal) == [nil])
    #expect(try pipeline.checkout.id() == pipeline.source.id())
    #expect(try pipeline.checkout.status() == " M mine\n?? untracked")
  }
}
