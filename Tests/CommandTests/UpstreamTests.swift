import Foundation
import GitModel
import TestSupport
import Testing

/// A signer whose repository is a code host's: what moved there is sent, whatever told of it.
struct UpstreamTests {
  private let installation: Installation
  private let host: PipelineRepository
  private var folder: PipelineFolder { installation.folder }
  private var source: PipelineRepository { installation.source }

  init() throws {
    installation = try Installation(.init(branches: "[main, \"release/*\"]"))
    host = try PipelineRepository(
      making: installation.folder.path("host/shop.git"), in: installation.folder,
      options: ["--bare", "--initial-branch=main"])
    try installation.folder.write("serve.yaml", "signer: signer.yaml\n")
    try source.commit(["a": "1\n"])
    try push("main")
  }

  private func push(_ refspec: String) throws {
    try source.git("push", "-q", "--force", host.path, refspec)
  }

  private func configure(_ url: String, pollSeconds: String, _ more: String = "") throws {
    let path = folder.path("signer.yaml")
    let text = try String(contentsOfFile: path, encoding: .utf8)
      .replacing("path: shop\n", with: "upstream: \(url)\n\(more)")
      .replacing("poll-seconds: never", with: "poll-seconds: \(pollSeconds)")
    try folder.write("signer.yaml", text + "\nsocket: signer.sock\n")
  }

  private func start(
    pollSeconds: String, _ url: String? = nil, _ more: String = ""
  ) throws -> (applier: RunningProgram, signer: RunningProgram) {
    let applier = try installation.startDaemon()
    try configure(url ?? "file://" + host.path, pollSeconds: pollSeconds, more)
    return (applier, try installation.startSigner())
  }

  private func expectArrival(sourceLocation: SourceLocation = #_sourceLocation) throws {
    #expect(
      try becomesTrue { try installation.checkout.stands(at: source.id("main").hex) },
      "\(installation.signer?.log ?? "")", sourceLocation: sourceLocation)
  }

  @Test func `a poll sends what has moved`() throws {
    let (applier, signer) = try start(pollSeconds: "1")
    try expectArrival()
    for number in 2...3 {
      try source.commit(["a": "\(number)\n"])
      try push("main")
      try expectArrival()
    }
    try source.git("reset", "--hard", "-q", "HEAD~2")
    try source.commit(["b": "another history\n"])
    try push("main")
    try expectArrival()
    try installation.expectEqual()
    #expect(signer.log.contains("event=branch-sent"))
    signer.expectEnd()
    #expect(applier.end().status == 0)
  }

  @Test func `a branch that comes to fit a pattern comes up as a stream`() throws {
    let (applier, signer) = try start(pollSeconds: "1")
    try signer.line(with: "event=branch-sent")
    try push("main:release/1")
    try push("main:release/1-private/x")
    try push("main:other")
    try signer.line(with: "release/1")
    let status = try installation.run("status", "--config", "signer.yaml", "--json").text
    #expect(
      status.contains("refs/heads/release/1") || status.contains("refs\\/heads\\/release\\/1"))
    #expect(!status.contains("private") && !status.contains("heads/other"))
    signer.expectEnd()
    #expect(applier.end().status == 0)
  }

  @Test func `a person's request and a hint fetch first`() throws {
    let (applier, signer) = try start(pollSeconds: "never")
    let first = try installation.send("--ref", "main")
    #expect(first.status == 0, "\(first.errors) \(signer.log)")
    try installation.expectEqual()
    try source.commit(["a": "2\n"])
    try push("main")
    let named = try installation.program.run([
      "sign-and-send", "--socket", "signer.sock", "--ref", "main", "--repository",
      Installation.remote, "--wait", "\(patience.components.seconds)",
    ])
    #expect(named.status == 0, "\(named.errors)")
    try installation.expectEqual()
    signer.expectEnd()
    #expect(applier.end().status == 0)
  }

  @Test func `without a daemon the upstream is fetched as well`() throws {
    let applier = try installation.startDaemon()
    try configure("file://" + host.path, pollSeconds: "never")
    let result = try installation.send("--ref", "main")
    #expect(result.status == 0, "\(result.errors)")
    try installation.expectEqual()
    #expect(applier.end().status == 0)
  }

  @Test func `an upstream that is away is reported once and everything else goes on`() throws {
    let away = folder.path("host/away.git")
    let (applier, signer) = try start(pollSeconds: "1", "file://" + away)
    try signer.line(with: "event=source-failed")
    let sent = try installation.send("--ref", "main")
    expectFailure(sent, "no such repository")
    try FileManager.default.copyItem(atPath: host.path, toPath: away)
    try signer.line(with: "event=source-recovered")
    try expectArrival()
    #expect(signer.log.components(separatedBy: "event=source-failed").count == 2, "\(signer.log)")
    signer.expectEnd()
    #expect(applier.end().status == 0)
  }

  /// The daemon ends in time though git hangs, and leaves none behind.
  @Test func `a daemon that fetches from a silent host stops`() throws {
    let listener = try RawListener()
    let url = "http://127.0.0.1:\(listener.port)/shop-\(UUID().uuidString).git"
    let (applier, signer) = try start(pollSeconds: "1", url)
    func isRunning() throws -> Bool {
      try FileManager.default.contentsOfDirectory(atPath: "/proc").contains { name in
        guard Int(name) != nil,
          let data = FileManager.default.contents(atPath: "/proc/\(name)/cmdline")
        else { return false }
        return String(decoding: data, as: UTF8.self).contains(url)
      }
    }
    #expect(try becomesTrue(isRunning))
    signer.expectEnd()
    #expect(try becomesTrue { try !isRunning() })
    #expect(applier.end().status == 0)
  }

  @Test func `a killed daemon goes on where it was`() throws {
    let (applier, signer) = try start(pollSeconds: "1")
    try expectArrival()
    #expect(signer.end(SIGKILL).status == -SIGKILL)
    try source.commit(["a": "2\n"])
    try push("main")
    let next = try installation.startSigner()
    try expectArrival()
    try installation.expectEqual()
    next.expectEnd()
    #expect(applier.end().status == 0)
  }

  @Test func `the doctor says what is wrong with an upstream`() throws {
    try configure("file://" + host.path, pollSeconds: "1")
    try Examination(installation, "signer.yaml")
      .expect("ok", "repository", "lets us read it")
    try Examination(installation, "signer.yaml")
      .expect("warning", "repository", "has no branch release/* yet", advice: "push it")
    #expect(!FileManager.default.fileExists(atPath: folder.path("var/signer")))
    try folder.edit("signer.yaml", host.path, folder.path("nowhere.git"))
    try Examination(installation, "signer.yaml")
      .expect("problem", "repository", "no such repository", advice: "correct 'upstream:'")
    try folder.write("token", "t\n")
    try folder.edit(
      "signer.yaml", "upstream: file://" + folder.path("nowhere.git"),
      "upstream: https://127.0.0.1:1/x\n    token-file: token")
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o644], ofItemAtPath: folder.path("token"))
    try Examination(installation, "signer.yaml")
      .expect("problem", "repository", "is open to group or others", advice: "chmod 600")
  }

  @Test(arguments: [
    ("upstream: git://example.org/x", "is none of ssh, https, http and file"),
    ("upstream: https://example.org/x\n    key-file: k", "are for ssh"),
    ("upstream: http://example.org/x", "use https"),
    ("upstream: https://u:p@example.org/x", "holds a user or password"),
    ("upstream: https://example.org/x\n    path: shop", "not both"),
    ("path: shop\n    key-file: k", "is for 'upstream:'"),
    ("path: shop\n    lfs-url: https://example.org/x", "is for 'upstream:'"),
    ("upstream: git@example.org:x\n    lfs-token-file: k", "goes with 'lfs-url:'"),
    ("upstream: git@example.org:x\n    lfs-url: http://example.org/x", "use https"),
    ("upstream: git@example.org:x\n    poll-seconds: 0", "whole number"),
  ])
  func `a configuration that makes no sense is refused`(lines: String, words: String) throws {
    var text = try String(contentsOfFile: folder.path("signer.yaml"), encoding: .utf8)
      .replacing("path: shop\n", with: lines + "\n")
    if lines.contains("poll-seconds") {
      text = text.replacing("    poll-seconds: never\n", with: "")
    }
    try folder.write("signer.yaml", text)
    let result = try installation.run("serve", "--config", "serve.yaml")
    expectFailure(result, status: 78, words)
    #expect(!result.errors.contains("u:p"))
  }
}

/// A repository of this machine, without a hook.
struct LocalPollTests {
  @Test func `what moves in a repository of this machine is sent within seconds`() throws {
    let installation = try Installation(.init(branches: "[main, \"x/**\"]", pollSeconds: "1"))
    try installation.folder.write("serve.yaml", "signer: signer.yaml\n")
    try installation.source.commit(["a": "1\n"])
    let applier = try installation.startDaemon()
    let signer = try installation.startSigner()
    for number in 2...4 {
      let id = try installation.source.commit(["a": "\(number)\n"])
      #expect(becomesTrue { installation.checkout.stands(at: id.hex) })
    }
    try installation.source.git("branch", "x/y/z")
    try signer.line(with: "x/y/z")
    signer.expectEnd()
    #expect(applier.end().status == 0)
  }
}
