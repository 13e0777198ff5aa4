import Foundation
import TestSupport
import Testing

/// Two carriers between a signer and an applier, of which the first is away: a relay that does not answer, and a directory.
struct FailoverPushTests {
  private let installation: Installation
  private var folder: PipelineFolder { installation.folder }

  init() throws {
    installation = try Installation()
    try installation.writeRelay()
    try installation.source.commit(["a": "1\n"])
    // Nobody listens on port 1 of the loopback.
    for name in ["signer", "web1"] {
      try installation.carry(
        name, by: "zeromq: {connect: tcp://127.0.0.1:1, server: keys/relay.pub}",
        "directory: {path: shared, poll-seconds: 1}", settings: "failover-seconds: 1\n")
    }
    try FileManager.default.createDirectory(
      atPath: folder.path("shared"), withIntermediateDirectories: false)
    try installation.succeed("carry", "--prepare", "shared")
  }

  @Test func `a push, and its receipt, go by the second carrier`() throws {
    let daemon = try RunningProgram(
      installation.program, ["verify-apply", "--config", "web1.yaml"])
    let words = try installation.sendMain(wait: 30)
    #expect(words.status == 0 && words.text.contains("applied"), "\(words.text)\(words.errors)")
    try installation.expectEqual()
    daemon.expectEnd()
  }

  @Test func `once collects and answers by whichever works`() throws {
    #expect(try installation.sendMain(wait: 3).status == 1)
    let once = try installation.run("verify-apply", "--config", "web1.yaml", "--once")
    #expect(once.status == 0, "\(once.text)\(once.errors)")
    try installation.expectEqual()
    let words = try installation.send("--flush")
    #expect(words.status == 0 && words.text.contains("applied"), "\(words.text)\(words.errors)")
  }

  @Test func `two carriers at one address are refused`() throws {
    try folder.edit(
      "web1.yaml", "  - zeromq:", "  - directory: {path: shared}\n  - zeromq:")
    let words = try installation.run("verify-apply", "--config", "web1.yaml", "--once")
    #expect(words.status == 78 && words.errors.contains("two carriers have the same address"))
  }
}
