import Foundation
import TestSupport
import Testing

/// `carriers: - directory:` and `distro carry`, the program itself: two machines that share no network.
struct DirectoryCommandTests {
  private let installation: Installation
  private var folder: PipelineFolder { installation.folder }

  init() throws {
    installation = try Installation()
    try installation.source.commit(["a": "1\n"])
    try installation.carry("signer", by: "directory: {path: here, poll-seconds: 1}")
    try installation.carry("web1", by: "directory: {path: there, poll-seconds: 1}")
  }

  private func make(_ directories: String...) throws {
    for directory in directories {
      try FileManager.default.createDirectory(
        atPath: folder.path(directory), withIntermediateDirectories: false)
      let said = try installation.succeed("carry", "--prepare", directory)
      #expect(said == "\(directory): is prepared")
    }
  }

  @discardableResult
  private func carry(_ source: String, _ target: String) throws -> String {
    try installation.succeed("carry", "--from", source, "--to", target, "--both-ways")
  }

  private func messages(in directory: String) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: folder.path(directory))
      .filter { $0.hasSuffix(".msg") }
  }

  /// Until it is in the directory.
  private func send() throws {
    #expect(try installation.sendMain(wait: 0).status == 0)
    #expect(
      try becomesTrue {
        if try !messages(in: "here").isEmpty { return true }
        _ = try installation.send("--flush", "--wait", "1")
        return false
      })
  }

  @Test func `a push goes by a stick, and its receipt comes back`() throws {
    try make("here", "stick", "there")
    for content in ["1\n", "2\n"] {
      try installation.source.commit(["a": content, "b": String(repeating: content, count: 50)])
      try send()
      #expect(try carry("here", "stick").contains("here -> stick: 1 messages"))
      try carry("stick", "there")
      let once = try installation.run("verify-apply", "--config", "web1.yaml", "--once")
      #expect(once.status == 0, "\(once.errors)")
      try installation.expectEqual()
      try carry("stick", "there")
      #expect(try carry("stick", "here").contains("stick -> here: 1 messages"))
      let words = try installation.send("--flush")
      #expect(words.status == 0 && words.text.contains("applied"), "\(words.text)\(words.errors)")
      try carry("stick", "here")
      try carry("stick", "there")
    }
    let status = try installation.succeed("status", "--config", "signer.yaml")
    #expect(status.contains("1 of 1 up to date"), "\(status)")
    for directory in ["here", "stick", "there"] {
      #expect(try messages(in: directory) == [], "\(directory)")
    }
  }

  @Test func `daemons on one directory wait for it, and use it when it is there`() throws {
    try folder.edit("web1.yaml", "path: there", "path: here")
    let path = folder.path("here")
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    let daemon = try RunningProgram(
      installation.program, ["verify-apply", "--config", "web1.yaml"])
    let line = try daemon.line(with: "event=carrier-unreachable")
    #expect(line.contains("has no distro-directory.txt: not mounted, or not prepared"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: path) == [])
    try installation.succeed("carry", "--prepare", "here")
    try daemon.line(with: "event=carrier-connected")
    let sent = try installation.sendMain()
    #expect(sent.status == 0 && sent.text.contains("applied"), "\(sent.text)\(sent.errors)")
    try installation.expectEqual()
    // Once, however often it was tried.
    #expect(daemon.log.components(separatedBy: "event=carrier-unreachable").count == 2)
    daemon.expectEnd()
  }

  @Test func `the doctor says what is there and what waits`() throws {
    let before = try Examination(installation, "signer.yaml")
    #expect(before.status == 1)
    before.expect("problem", "carrier", "is not there")
    try make("here")
    try send()
    let after = try Examination(installation, "signer.yaml")
    #expect(after.problems == [] && after.status == 0)
    after.expect("ok", "carrier", "is there, and is prepared")
    after.expect("ok", "carrier", "can be written")
    after.expect("ok", "disk", "/here: ")
    after.expect("ok", "trust", "1 messages wait for it")
    let files = try FileManager.default.subpathsOfDirectory(atPath: folder.path("here"))
    _ = try Examination(installation, "signer.yaml")
    #expect(try FileManager.default.subpathsOfDirectory(atPath: folder.path("here")) == files)
  }

  @Test func `what cannot be carried is told`() throws {
    try make("here", "stick")
    try send()
    let name = try #require(try messages(in: "here").first)
    let data = "here/" + name.replacing(".msg", with: ".00000")
    try folder.write(data, "damaged")
    let result = try installation.run("carry", "--from", "here", "--to", "stick")
    expectFailure(result, "left behind: ", "has another size than announced")
    expectFailure(
      try installation.run("carry", "--from", "here", "--to", "nowhere"), "nowhere: is not there",
      "distro carry --prepare nowhere")
    for arguments in [
      ["--from", "here"], ["--prepare", "here", "--to", "stick"], ["--both-ways"], [],
    ] {
      expectFailure(try installation.program.run(["carry"] + arguments), status: 64, "--prepare")
    }
  }

  @Test(arguments: ["file-mebibytes: 4096", "poll-seconds: 0", "unknown: 1"])
  func `a directory's settings have limits`(setting: String) throws {
    try folder.edit("web1.yaml", "poll-seconds: 1", setting)
    let result = try installation.run("verify-apply", "--config", "web1.yaml", "--once")
    expectFailure(result, status: 78, "carriers[0].directory")
  }
}
