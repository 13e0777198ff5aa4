import Applier
import Foundation
import GitModel
import MessageFormat
import Programs
import Signer
import TestSupport
import Testing
import WebClient

/// What a checkout's commands and its health check make of a step.
struct StepCommandTests {
  private let folder: PipelineFolder

  init() throws { folder = try PipelineFolder() }

  /// `$F` is the test's folder.
  private func shell(_ text: String, seconds: Int = 60) -> ConfiguredProgram {
    ConfiguredProgram(
      "/bin/sh", ["-c", "F='\(folder.path)'; " + text], deadline: .seconds(seconds))
  }

  private func content(_ name: String) throws -> String {
    try String(contentsOfFile: folder.path(name), encoding: .utf8)
  }

  /// With one commit that has arrived, and commands from then on.
  private func started(
    _ commands: CheckoutCommands, files: [String: String] = ["a": "1\n", "b/c": "2\n"]
  ) throws -> Pipeline {
    var options = PipelineOptions()
    options.commands = commands
    try Data().write(to: URL(fileURLWithPath: folder.path("works")))
    let pipeline = try Pipeline.started(options, files: files)
    try FileManager.default.removeItem(atPath: folder.path("works"))
    return pipeline
  }

  /// Fails unless the file `works` is there.
  private var test: ConfiguredProgram { shell("test -e $F/works || { echo broken; exit 3; }") }

  @Test func `a command knows its step`() async throws {
    try await onThread { [self] in
      let script = """
        printf '%s\\n' "$DISTRO_REMOTE" "$DISTRO_BRANCH" "$DISTRO_BEFORE" "$DISTRO_AFTER" \
          "$DISTRO_SEQUENCE" "$DISTRO_RELEASE" >$F/NAME
        cat "$DISTRO_CHANGED_FILES" >>$F/NAME; pwd >>$F/NAME
        cat a >>$F/NAME || test "$PWD" = /
        """
      let pipeline = try started(
        CheckoutCommands(
          beforeApply: shell(script.replacing("NAME", with: "before")),
          afterApply: shell(script.replacing("NAME", with: "after"))))
      let before = try pipeline.source.id()
      try pipeline.source.remove("b")
      let after = try pipeline.source.commit(["a": "2\n", "new/ä": "3\n"])
      let answers = try pipeline.push()
      #expect(answers.map(\.refusal) == [nil], "\(answers.map(\.outcome))")
      let path = pipeline.checkout.path
      let told = """
        \(Pipeline.remote)
        main
        \(before.hex)
        \(after.hex)
        \(try #require(answers.first?.subject?.sequence))
        \(path)
        \(try pipeline.source.git("-c", "core.quotePath=false", "diff", "--name-only", "HEAD~"))
        \(path)

        """
      let said = try content("before")
      #expect(said == told + "1\n", "\(said)\(told)")
      #expect(try content("after") == told + "2\n")
      try pipeline.expectEqual()
      try pipeline.expectNothingLeft()
    }
  }

  @Test func `a step that before-apply forbids changes nothing, and is applied when it may be`()
    async throws
  {
    try await onThread { [self] in
      let pipeline = try started(CheckoutCommands(beforeApply: test))
      try pipeline.source.commit(["a": "2\n", "new": "2\n"])
      try pipeline.expectRefusal(.vetoed) { try pipeline.send() }
      try pipeline.expectNothingLeft()
      try folder.write("works", "")
      #expect(try pipeline.push(from: .nothing).map(\.refusal) == [nil])
      try pipeline.expectEqual()
    }
  }

  @Test func `a first checkout that before-apply forbids is not begun`() async throws {
    try await onThread { [self] in
      var options = PipelineOptions()
      options.commands = CheckoutCommands(beforeApply: test)
      let pipeline = try Pipeline(options)
      try pipeline.source.commit(["a": "1\n"])
      #expect(try pipeline.push().map(\.refusal) == [.vetoed])
      #expect(!FileManager.default.fileExists(atPath: pipeline.checkout.path))
    }
  }

  @Test func `what waits is permitted in one step, and what comes later asks again`() async throws {
    try await onThread { [self] in
      let pipeline = try started(
        CheckoutCommands(beforeApply: shell("echo \"$DISTRO_AFTER\" >>$F/asked")))
      for number in 2...4 {
        try pipeline.source.commit(["a": "\(number)\n"])
        try pipeline.send()
      }
      #expect(try pipeline.deliver().map(\.refusal) == [nil, nil, nil])
      let first = try pipeline.source.id()
      try pipeline.expectNextPushArrives()
      let asked = try content("asked").split(separator: "\n").map(String.init)
      #expect(asked.suffix(2) == [first.hex, try pipeline.source.id().hex])
      #expect(asked.count == 3)
    }
  }

  // MARK: - A revision that does not work

  private func expectRolledBack(
    _ pipeline: Pipeline, _ words: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let before = try pipeline.checkout.id()
    try pipeline.source.remove("b")
    try pipeline.source.commit(["a": "2\n", "b": "file\n", "new/file": "2\n"])
    let receipts = try pipeline.push()
    guard case .refused(.rolledBack, let detail)? = receipts.first?.outcome else {
      Issue.record("\(receipts.map(\.outcome))", sourceLocation: sourceLocation)
      return
    }
    #expect(detail.contains(words), "\(detail)", sourceLocation: sourceLocation)
    #expect(receipts.map(\.revision) == [before], sourceLocation: sourceLocation)
    try pipeline.expectEqual(to: before.hex, sourceLocation: sourceLocation)
    try pipeline.expectNothingLeft(sourceLocation: sourceLocation)
  }

  @Test func `a revision whose after-apply fails is taken back, and not tried again`()
    async throws
  {
    try await onThread { [self] in
      let pipeline = try started(
        CheckoutCommands(afterApply: test, onFailure: shell("echo \"$DISTRO_REASON\" >>$F/failed")))
      try expectRolledBack(pipeline, "after-apply ended with status 3: broken")
      #expect(try content("failed") == "after-apply ended with status 3: broken\n")
      // The same revision again, in another message.
      try pipeline.expectRefusal(.rolledBack) { try pipeline.send(from: .nothing) }
      #expect(try content("failed").split(separator: "\n").count == 1)
      try folder.write("works", "")
      try pipeline.source.commit(["a": "3\n"])
      #expect(try pipeline.push(from: .nothing).map(\.refusal) == [nil])
      try pipeline.expectEqual()
      try pipeline.expectNextPushArrives()
    }
  }

  @Test func `all messages of a step that failed are refused`() async throws {
    try await onThread { [self] in
      let pipeline = try started(CheckoutCommands(afterApply: test))
      let before = try pipeline.checkout.id()
      for number in 2...4 {
        try pipeline.source.commit(["a": "\(number)\n"])
        try pipeline.send()
      }
      #expect(try pipeline.deliver().map(\.refusal) == [.rolledBack, .rolledBack, .rolledBack])
      try pipeline.expectEqual(to: before.hex)
    }
  }

  @Test func `a command that takes too long has failed, with all that it started`() async throws {
    try await onThread { [self] in
      let pipeline = try started(
        CheckoutCommands(
          afterApply: shell(
            "test -e $F/works || { sleep 600 & echo $! >$F/child; wait; }", seconds: 1)
        ))
      try expectRolledBack(pipeline, "did not end within 1 s")
      let child = try #require(Int32(try content("child").split(separator: "\n")[0]))
      #expect(becomesTrue { Foundation.kill(child, 0) != 0 })
    }
  }

  @Test func `a revision that is not healthy in time is taken back`() async throws {
    try await onThread { [self] in
      let server = try HTTPReceiver { _ in .answer(200) }
      let pipeline = try started(
        CheckoutCommands(
          health: HealthCheck(
            .get(try WebAddress(server.url + "/healthz")), deadline: .seconds(2))))
      #expect(server.requests.map(\.target) == ["/healthz"])
      server.answer { _ in .answer(503) }
      try expectRolledBack(pipeline, "answered 503 (tried for 2 s)")
      #expect(server.requests.count > 2)
      server.end()
      try pipeline.source.commit(["a": "3\n"])
      #expect(try pipeline.push(from: .nothing).map(\.refusal) == [.rolledBack])
    }
  }

  @Test func `a revision that becomes healthy in time is applied`() async throws {
    try await onThread {
      let count = AnswerCount()
      let server = try HTTPReceiver { _ in
        defer { count.increment() }
        return .answer(count.isZero ? 302 : 204)
      }
      var options = PipelineOptions()
      options.commands = CheckoutCommands(
        health: HealthCheck(.get(try WebAddress(server.url + "/")), deadline: .seconds(60)))
      let pipeline = try Pipeline.started(options)
      #expect(server.requests.count == 2)
      try pipeline.expectEqual()
    }
  }

  @Test func `a health check can be a command, and its revision be kept`() async throws {
    try await onThread { [self] in
      let pipeline = try started(
        CheckoutCommands(
          health: HealthCheck(.run(test), deadline: .seconds(1), onFailure: .keep)))
      let after = try pipeline.source.commit(["a": "2\n"])
      let receipts = try pipeline.push()
      #expect(receipts.map(\.refusal) == [.unhealthy] && receipts.map(\.revision) == [after])
      try pipeline.expectEqual()
      try folder.write("works", "")
      try pipeline.expectNextPushArrives()
    }
  }

  @Test func `a first revision that fails stays, and the next one is applied`() async throws {
    try await onThread { [self] in
      var options = PipelineOptions()
      options.commands = CheckoutCommands(afterApply: test)
      let pipeline = try Pipeline(options)
      try pipeline.source.commit(["a": "1\n"])
      #expect(try pipeline.push().map(\.refusal) == [.unhealthy])
      try pipeline.expectEqual()
      try folder.write("works", "")
      try pipeline.expectNextPushArrives()
    }
  }

  @Test func `what a person has changed since is not taken back`() async throws {
    try await onThread { [self] in
      let pipeline = try started(
        CheckoutCommands(afterApply: shell("test -e $F/works || { echo mine >a; exit 1; }")))
      let after = try pipeline.source.commit(["a": "2\n", "new": "2\n"])
      let receipts = try pipeline.push()
      #expect(receipts.map(\.refusal) == [.unhealthy] && receipts.map(\.revision) == [after])
      #expect(try pipeline.checkout.status() == " M a")
      #expect(
        try String(contentsOfFile: pipeline.checkout.path + "/a", encoding: .utf8) == "mine\n")
      try pipeline.expectNothingLeft()
    }
  }

  @Test func `large files are taken back with the others`() async throws {
    try await onThread { [self] in
      var options = PipelineOptions(largeFiles: .ship)
      options.commands = CheckoutCommands(afterApply: test)
      let pipeline = try Pipeline(options)
      try folder.write("works", "")
      try pipeline.source.commit([
        ".gitattributes": Pipeline.attributes, "big.bin": try pipeline.largeFile("large 1\n"),
      ])
      #expect(try pipeline.push().map(\.refusal) == [nil])
      try FileManager.default.removeItem(atPath: folder.path("works"))
      let before = try pipeline.source.id()
      try pipeline.source.commit(["big.bin": try pipeline.largeFile("large 2\n")])
      #expect(try pipeline.push().map(\.refusal) == [.rolledBack])
      try pipeline.expectEqual(to: before.hex)
      let file = pipeline.checkout.path + "/big.bin"
      #expect(try String(contentsOfFile: file, encoding: .utf8) == "large 1\n")
    }
  }

  @Test func `a command that is not there has failed`() async throws {
    try await onThread { [self] in
      var options = PipelineOptions()
      options.commands = CheckoutCommands(
        afterApply: ConfiguredProgram(folder.path("none"), deadline: .seconds(5)))
      let pipeline = try Pipeline(options)
      try pipeline.source.commit(["a": "1\n"])
      #expect(try pipeline.push().map(\.refusal) == [.unhealthy])
    }
  }

  // MARK: - Beside other checkouts, and heartbeats

  @Test func `a command that hangs keeps no other checkout waiting`() async throws {
    try await onThread { [self] in
      let fleet = try HeartbeatFleet(
        ["main", "next"],
        commands: ["main": CheckoutCommands(afterApply: shell("while :; do sleep 1; done"))])
      for branch in fleet.branches { try fleet.send(branch) }
      let answers = try fleet.exchange()
      #expect(answers.compactMap(\.receipt).map(\.subject?.stream.branch.shortName) == ["next"])
      #expect(try fleet.checkout("next").status() == "")
      // Of the one for which a command runs nothing is said.
      _ = try fleet.beat()
      let report = try #require(try fleet.exchange().compactMap(\.report).first)
      #expect(report.streams.map(\.name.branch.shortName) == ["next"])
    }
  }

  @Test func `a signer leaves a machine alone whose revision was taken back`() async throws {
    try await onThread { [self] in
      try folder.write("works", "")
      let fleet = try HeartbeatFleet(
        ["main"], commands: ["main": CheckoutCommands(afterApply: test)])
      func exchange() throws -> [ReceiptReader.Answer] {
        var answers = try fleet.exchange()
        while fleet.worker.waitForCommand() { answers += try fleet.exchange() }
        return answers
      }
      try fleet.send(fleet.branches[0])
      #expect(try exchange().compactMap(\.receipt).map(\.refusal) == [nil])
      try FileManager.default.removeItem(atPath: folder.path("works"))
      let before = try fleet.source.id()
      try fleet.source.commit(["a": "2\n"])
      try fleet.send(fleet.branches[0])
      #expect(try exchange().compactMap(\.receipt).map(\.refusal) == [.rolledBack])
      for _ in 0..<3 {
        _ = try fleet.beat()
        let report = try #require(try exchange().compactMap(\.report).first)
        guard case .blocked(.rolledBack, _, before) = report.streams[0].standing else {
          Issue.record("\(report.streams)")
          return
        }
        #expect(try fleet.heal().sent.isEmpty)
      }
      #expect(try fleet.statuses()[0].block?.reason == .rolledBack)
      try folder.write("works", "")
      try fleet.source.commit(["a": "3\n"])
      try fleet.send(fleet.branches[0])
      var answers = try exchange()
      for _ in 0..<2 {
        _ = try fleet.beat()
        answers += try exchange()
        _ = try fleet.heal()
        answers += try exchange()
      }
      #expect(answers.compactMap(\.receipt).contains { $0.refusal == nil }, "\(answers)")
      #expect(try fleet.checkout("main").id() == fleet.source.id())
      _ = try fleet.beat()
      _ = try exchange()
      #expect(try fleet.statuses()[0].block == nil)
    }
  }
}
