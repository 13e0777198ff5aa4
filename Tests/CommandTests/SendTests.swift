import Foundation
import GRDB
import TestSupport
import Testing

/// `sign-and-send`, `status` and `verify-apply --once` as people and scripts run them.
struct SendTests {
  private let installation: Installation
  private var source: PipelineRepository { installation.source }

  init() throws {
    installation = try Installation()
    try source.commit(["a": "1\n"])
  }

  @Test(arguments: Installation.Way.allCases)
  func `message that nobody takes stays until it is flushed`(way: Installation.Way) throws {
    try installation.use(way)
    let result = try installation.sendMain(until: "nothing listens there")
    expectFailure(result, "nothing listens there", "nothing is lost", "--flush")
    #expect(result.text.contains("waits in the outbox"))
    let daemon = try installation.startDaemon()
    let flushed = try installation.send("--flush")
    // A daemon may have sent it before it was asked.
    let isSentBefore = way == .daemon && flushed.errors.contains("the outbox is empty")
    #expect(
      flushed.status == 0 && (flushed.text.contains(" applied ") || isSentBefore),
      "\(flushed.errors)")
    try installation.expectEqual()
    let empty = try installation.send("--flush")
    #expect(empty.status == 0 && empty.errors.contains("the outbox is empty"))
    #expect(daemon.end().status == 0)
  }

  /// As from a timer, at any moment.
  @Test(arguments: Installation.Way.allCases)
  func `git may collect in the checkout while messages arrive`(way: Installation.Way) throws {
    try installation.use(way)
    let daemon = try installation.startDaemon()
    #expect(try installation.sendMain().status == 0)
    let collector = try RunningProgram(
      PipelineProgram("/bin/sh", in: installation.folder),
      ["-c", "while git -C live gc --quiet && echo collected >&2; do :; done"])
    try collector.line(with: "collected")
    for number in 2...12 {
      try source.commit(["a": "\(number)\n", "b/\(number)": "\(number)\n"])
      let result = try installation.sendMain()
      #expect(result.status == 0, "\(result.errors) \(daemon.log)")
    }
    #expect(collector.end().status == -SIGTERM, "\(collector.log)")
    try installation.expectEqual()
    #expect(try installation.checkout.fsck() == "")
    #expect(daemon.end().status == 0)
  }

  /// As if 16 GiB lay there.
  @Test(arguments: Installation.Way.allCases)
  func `inbox over its quota takes no more`(way: Installation.Way) throws {
    try installation.use(way)
    var daemon = try installation.startDaemon()
    #expect(try installation.sendMain().status == 0)
    #expect(daemon.end().status == 0)
    let state = try DatabaseQueue(path: installation.folder.path("var/web1/state.sqlite"))
    try state.write { database in
      try database.execute(sql: "UPDATE usage SET byteCount = 1 << 34 WHERE role = 'mailbox'")
    }
    try state.close()
    daemon = try installation.startDaemon()
    try source.commit(["a": "2\n"])
    expectFailure(
      try installation.sendMain(), "would be over its quota of 17179869184",
      "nothing is lost")
    #expect(daemon.end().status == 0)
  }

  @Test(arguments: Installation.Way.allCases)
  func `next run sends what waits first`(way: Installation.Way) throws {
    try installation.use(way)
    #expect(try installation.sendMain(wait: 0).status == 0)
    try source.commit(["a": "2\n"])
    let daemon = try installation.startDaemon()
    #expect(try installation.sendMain().status == 0)
    try installation.expectEqual()
    // A receipt goes out before its line is written.
    #expect(becomesTrue { daemon.log.components(separatedBy: "sequence=").count >= 3 })
    #expect(daemon.log.components(separatedBy: "sequence=").count == 3)
    #expect(daemon.end().status == 0)
  }

  @Test(arguments: Installation.Way.allCases)
  func `once handles what waits and exits`(way: Installation.Way) throws {
    try installation.use(way)
    var daemon = try installation.startDaemon()
    #expect(try installation.sendMain().status == 0)
    // Someone else holds the checkout: messages are stored and wait.
    let holder = try installation.holdCheckout()
    try source.commit(["a": "2\n"])
    let stored = "stored, no receipt yet"
    let send = try installation.sendMain(until: stored)
    expectFailure(send)
    #expect(send.text.contains(stored))
    #expect(daemon.end().status == 0)
    #expect(holder.end(SIGKILL).status == -SIGKILL)
    let once = try installation.run("verify-apply", "--config", "web1.yaml", "--once", "--json")
    #expect(once.status == 0, "\(once.errors)")
    let rows = try JSONDecoder().decode([[String: String]].self, from: Data(once.output))
    #expect(rows.count == 1 && rows.first?["outcome"] == "applied", "\(rows)")
    #expect(rows.first?["after"] == (try source.id().hex))
    try installation.expectEqual()
    // The receipt waits for the signer.
    daemon = try installation.startDaemon()
    // A signer's daemon takes it in by itself.
    let flushed = try installation.send("--flush")
    #expect(flushed.text.contains(" applied ") || way == .daemon, "\(flushed.errors)")
    #expect(daemon.end().status == 0)
  }

  @Test(arguments: Installation.Way.allCases)
  func `two runs at once both arrive`(way: Installation.Way) throws {
    try installation.use(way)
    let daemon = try installation.startDaemon()
    #expect(try installation.sendMain().status == 0)
    for round in 1...3 {
      let first = try source.commit(["a": "\(round) one\n"])
      let second = try source.commit(["a": "\(round) two\n"])
      let runs = try [first, second].map {
        try installation.startSend("--ref", "main", "--to", $0.hex)
      }
      // Either order is right, and so is one that finds the other's work done; nothing may break.
      for run in runs {
        #expect([0, 1, 2].contains(run.wait()), "\(run.log)")
        #expect(!run.log.contains("database"), "\(run.log)")
      }
      let last = try installation.sendMain()
      #expect(last.status == 0, "\(last.errors)")
      try installation.expectEqual()
    }
    #expect(daemon.end().status == 0)
  }

  @Test(arguments: Installation.Way.allCases)
  func `refused message is reported with its name and status two`(way: Installation.Way) throws {
    try installation.use(way)
    let daemon = try installation.startDaemon()
    #expect(try installation.sendMain().status == 0)
    try source.commit(["a": "2\n"])
    try Data("mine\n".utf8).write(to: URL(fileURLWithPath: installation.checkout.path + "/a"))
    let result = try installation.sendMain()
    #expect(result.status == 2)
    #expect(result.text.contains("refused: local-changes: \"a\" was changed"))
    try daemon.line(with: "reason=local-changes")
    #expect(try installation.checkout.status() == " M a")
    try installation.checkout.git("checkout", "-q", "a")
    #expect(try installation.sendMain().status == 0)
    try installation.expectEqual()
    #expect(daemon.end().status == 0)
  }

  @Test func `status is a table for people and JSON for machines`() throws {
    let daemon = try installation.startDaemon()
    #expect(try installation.sendMain().status == 0)
    let table = try installation.run("status", "--config", "signer.yaml")
    let lines = table.text.split(separator: "\n")
    let tip = try source.id().abbreviated
    #expect(lines.first == "\(Installation.remote) main at \(tip): 1 of 1 up to date")
    #expect(lines.count == 3 && lines[1].hasPrefix("MACHINE"), "\(table.text)")
    #expect(lines.last?.contains(/^web1 +\w+ +- +(now|\d+ s ago) +up to date$/) == true)
    let json = try installation.run("status", "--config", "signer.yaml", "--json").output
    let rows = try #require(
      try JSONSerialization.jsonObject(with: Data(json)) as? [[String: Any]])
    let row = try #require(rows.first)
    #expect(row["remote"] as? String == Installation.remote)
    #expect(row["revision"] as? String == (try source.id().hex))
    #expect(row["state"] as? String == "applied" && row["behind"] as? Int == 0)
    #expect(row["standing"] as? String == "applied" && row["healing"] as? String == "none")
    #expect(daemon.end().status == 0)
  }

  @Test(arguments: Installation.Way.allCases)
  func `a commit that changes no file is a notice`(way: Installation.Way) throws {
    try installation.use(way)
    let daemon = try installation.startDaemon()
    #expect(try installation.sendMain().status == 0)
    try source.commit([:], "nothing changed")
    let result = try installation.sendMain()
    #expect(result.status == 0 && result.errors.contains("changes no file"), "\(result.errors)")
    #expect(result.text.contains("up to date"), "\(result.text)")
    #expect(daemon.end().status == 0)
  }

  @Test(arguments: Installation.Way.allCases)
  func `a revert of what was refused leaves the machine up to date`(way: Installation.Way) throws {
    try installation.use(way)
    let daemon = try installation.startDaemon()
    #expect(try installation.sendMain().status == 0)
    try source.commit(["a": "2\n"])
    try Data("mine\n".utf8).write(to: URL(fileURLWithPath: installation.checkout.path + "/a"))
    #expect(try installation.sendMain().status == 2)
    try source.git("revert", "--no-edit", "HEAD")
    let result = try installation.sendMain()
    #expect(result.status == 0 && result.errors.contains("all recipients are up to date"))
    let rows = try JSONSerialization.jsonObject(
      with: Data(try installation.run("status", "--config", "signer.yaml", "--json").output))
    #expect((rows as? [[String: Any]])?.first?["behind"] as? Int == 0)
    #expect(daemon.end().status == 0)
  }

  @Test(arguments: Installation.Way.allCases)
  func `a quorum of more recipients than there are is a mistake`(way: Installation.Way) throws {
    try installation.use(way)
    expectFailure(
      try installation.send("--ref", "main", "--quorum", "7", "--wait", "0"), status: 64,
      "a quorum of 7")
  }

  @Test(arguments: Installation.Way.allCases)
  func `what does not exist is named`(way: Installation.Way) throws {
    try installation.use(way)
    expectFailure(
      try installation.send("--ref", "main", "--to", "nonsense", "--wait", "0"),
      "revision nonsense: is not there", "git log")
    expectFailure(
      try installation.send("--ref", "main", "--from", "1234567", "--wait", "0"), "1234567")
    expectFailure(
      try installation.send("--ref", "refs/tags/v1", "--wait", "0"),
      "refs/tags/v1 is not among the branches")
    expectFailure(
      try installation.send("--ref", "other", "--wait", "0"), "other is not among the branches")
    expectFailure(
      try installation.send("--ref", "main", "--repository", "elsewhere", "--wait", "0"),
      "is not a configured repository")
    try source.git("checkout", "-q", "-b", "renamed")
    try source.git("branch", "-q", "-D", "main")
    expectFailure(try installation.sendMain(wait: 0), "has no branch main", "git branch --list")
  }

  @Test(arguments: Installation.Way.allCases)
  func `repositories that cannot be sent are named`(way: Installation.Way) throws {
    try installation.use(way)
    func replaceSource(_ body: (String) throws -> Void) throws {
      try FileManager.default.removeItem(atPath: source.path)
      try body(source.path)
    }
    let folder = installation.folder
    let origin = try PipelineRepository(making: folder.path("origin"), in: folder)
    for number in 1...3 { try origin.commit(["a": "\(number)\n"]) }
    try replaceSource { path in
      try origin.git("clone", "-q", "--depth", "1", "file://" + origin.path, path)
    }
    expectFailure(try installation.sendMain(wait: 0), "is a shallow clone")
    try replaceSource { path in
      let made = try PipelineRepository(
        making: path, in: folder, options: ["--object-format=sha256", "--initial-branch=main"])
      try made.git("commit", "-q", "--allow-empty", "-m", "x")
    }
    expectFailure(try installation.sendMain(wait: 0), "SHA-256", "use a SHA-1 repository")
    try replaceSource { path in
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }
    expectFailure(try installation.sendMain(wait: 0), "is no git repository")
    try replaceSource { _ in }
    expectFailure(try installation.sendMain(wait: 0), "is not there")
  }

  @Test(arguments: Installation.Way.allCases)
  func `bare repository is sent`(way: Installation.Way) throws {
    try installation.use(way)
    let daemon = try installation.startDaemon()
    let bare = installation.folder.path("bare.git")
    try source.git("clone", "-q", "--bare", source.path, bare)
    try FileManager.default.removeItem(atPath: source.path)
    try FileManager.default.moveItem(atPath: bare, toPath: source.path)
    #expect(try installation.sendMain().status == 0)
    #expect(try installation.checkout.id() == source.id("main"))
    #expect(daemon.end().status == 0)
  }
}
