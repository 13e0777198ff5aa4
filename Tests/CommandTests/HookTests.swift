import Foundation
import GitModel
import TestSupport
import Testing

/// `sign-and-send` as git's post-receive hook calls it.
struct HookTests {
  private static let zeros = String(repeating: "0", count: 40)
  private let installation: Installation
  private var source: PipelineRepository { installation.source }

  init() throws {
    installation = try Installation(.init(branches: "[main, release]"))
    try source.commit(["a": "1\n"])
  }

  private func status() throws -> [[String: Any]] {
    let text = try installation.run("status", "--config", "signer.yaml", "--json").output
    return try #require(
      try JSONSerialization.jsonObject(with: Data(text)) as? [[String: Any]])
  }

  @Test(arguments: Installation.Way.allCases)
  func `created branch is sent as a snapshot and arrives`(way: Installation.Way) throws {
    try installation.use(way)
    let daemon = try installation.startDaemon()
    let head = try source.id()
    let result = try installation.send(input: "\(Self.zeros) \(head) refs/heads/main\n")
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.text.hasPrefix("web1: main \(head.abbreviated) applied (number 1"))
    try installation.expectEqual()
    let next = try source.commit(["a": "2\n"])
    let second = try installation.send(input: "\(head) \(next) refs/heads/main\n")
    #expect(second.text.contains(", patch, "), "\(second.errors)")
    try installation.expectEqual()
    #expect(daemon.end().status == 0)
  }

  @Test(arguments: Installation.Way.allCases)
  func `real push through a hook arrives`(way: Installation.Way) throws {
    try installation.use(way)
    let daemon = try installation.startDaemon()
    let bare = try PipelineRepository(
      making: installation.folder.path("shop.git"), in: installation.folder, options: ["--bare"])
    let path = installation.folder.path("signer.yaml")
    let text = try String(contentsOfFile: path, encoding: .utf8)
    try installation.folder.write(
      "signer.yaml", text.replacing("path: shop", with: "path: shop.git"))
    let signer = way == .daemon ? try installation.startSigner() : nil
    let route =
      way == .daemon
      ? "--socket '\(installation.folder.path("signer.sock"))'" : "--config '\(path)'"
    let hook = "#!/bin/sh\nexec '\(Installation.executable)' sign-and-send \(route)\n"
    try bare.write("hooks/post-receive", hook)
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o755], ofItemAtPath: bare.path + "/hooks/post-receive")
    for number in 1...3 {
      try source.commit(["a": "\(number)\n", "n\(number)": "x\n"])
      let push = try source.run(["push", "-q", bare.path, "main"])
      #expect(push.status == 0 && push.errors.contains("applied"), "\(push.errors)")
      try installation.expectEqual()
    }
    try source.git("reset", "--hard", "-q", "HEAD~2")
    try source.commit(["a": "another history\n"])
    #expect(
      try source.run(["push", "-q", "--force", bare.path, "main"]).errors.contains("applied"))
    try installation.expectEqual()
    signer?.expectEnd()
    #expect(daemon.end().status == 0)
  }

  @Test(arguments: Installation.Way.allCases)
  func `several refs at once are sent or reported`(way: Installation.Way) throws {
    try installation.use(way)
    let head = try source.id()
    try source.git("branch", "-q", "release")
    let lines = [
      "\(Self.zeros) \(head) refs/heads/main", "\(Self.zeros) \(head) refs/heads/release",
      "\(Self.zeros) \(head) refs/tags/v1", "\(head) \(Self.zeros) refs/heads/old",
      "\(head) \(head) refs/heads/unrelated", "\(Self.zeros) \(head) refs/notes/commits",
    ]
    let result = try installation.send(
      "--wait", "0", input: lines.joined(separator: "\n") + "\n")
    #expect(result.status == 0)
    #expect(result.text.split(separator: "\n").count == 2)
    #expect(result.errors.contains("refs/tags/v1: only branches are handled yet; nothing was sent"))
    #expect(result.errors.contains("refs/heads/old: deleted branches are not handled yet"))
    #expect(result.errors.contains("refs/heads/unrelated: not among the configured branches"))
    #expect(result.errors.contains("refs/notes/commits: only branches are handled yet"))
    #expect(try status().map { $0["ref"] as? String } == ["refs/heads/main", "refs/heads/release"])
    #expect(try status().allSatisfy { $0["state"] as? String == "waiting" })
  }

  @Test(arguments: Installation.Way.allCases)
  func `one ref that cannot be sent does not stop the others`(way: Installation.Way) throws {
    try installation.use(way)
    let head = try source.id()
    try source.git("branch", "-q", "release")
    let missing = String(repeating: "1", count: 40)
    try source.write(".git/refs/heads/main", missing + "\n")
    let lines =
      "\(Self.zeros) \(missing) refs/heads/main\n\(Self.zeros) \(head) refs/heads/release\n"
    let result = try installation.send("--wait", "0", input: lines)
    expectFailure(result, "distro: error:", "is not there")
    #expect(try status().map { $0["ref"] as? String } == ["refs/heads/release"])
  }

  @Test(
    arguments: ["nonsense", "1 2 refs/heads/main", "\(zeros) \(zeros)"], Installation.Way.allCases)
  func `lines that are none do not stop the others`(line: String, way: Installation.Way) throws {
    try installation.use(way)
    let head = try source.id()
    let good = "\(Self.zeros) \(head) refs/heads/main"
    let result = try installation.send("--wait", "0", input: line + "\n" + good + "\n")
    expectFailure(result, status: 1, "not a post-receive line")
    #expect(try status().map { $0["ref"] as? String } == ["refs/heads/main"])
  }

  @Test(arguments: Installation.Way.allCases)
  func `empty push is reported and the next goes on`(way: Installation.Way) throws {
    try installation.use(way)
    let daemon = try installation.startDaemon()
    let first = try source.id()
    #expect(try installation.send(input: "\(Self.zeros) \(first) refs/heads/main\n").status == 0)
    let empty = try source.commit([:], "nothing changed")
    let nothing = try installation.send(input: "\(first) \(empty) refs/heads/main\n")
    #expect(nothing.status == 0 && nothing.errors.contains("changes no file"), "\(nothing.errors)")
    let next = try source.commit(["a": "2\n"])
    let result = try installation.send(input: "\(empty) \(next) refs/heads/main\n")
    #expect(result.status == 0, "\(result.text) \(result.errors)")
    try installation.expectEqual()
    #expect(daemon.end().status == 0)
  }
}
