import Foundation
import TestSupport
import Testing

/// `distro serve` with the signer's role: what happens without a push.
struct SignerDaemonTests {
  private let installation: Installation

  init() throws {
    installation = try Installation(.init(signer: "heartbeat-seconds: 1"))
    try installation.folder.write("serve.yaml", "signer: signer.yaml\n")
    try installation.source.commit(["a": "1\n"])
  }

  private func startSigner() throws -> RunningProgram {
    let program = try RunningProgram(installation.program, ["serve", "--config", "serve.yaml"])
    try program.line(with: "event=ready")
    return program
  }

  private func status() throws -> [String: Any] {
    let output = try installation.run("status", "--config", "web1.yaml", "--json").output
    let root = try #require(
      try JSONSerialization.jsonObject(with: Data(output)) as? [String: Any])
    return try #require((root["checkouts"] as? [[String: Any]])?.first)
  }

  private func waitUntil(_ what: String, _ isTrue: () throws -> Bool) throws {
    try #require(try becomesTrue(isTrue), "\(what)")
  }

  @Test func `one daemon works on a state`() throws {
    let signer = try startSigner()
    let second = try installation.program.run(["serve", "--config", "serve.yaml"])
    expectFailure(second, "var/signer/spool: another process works on it", "same 'state:'")
    #expect(try installation.sendMain(wait: 0).status == 0)
    #expect(signer.end().status == 0)
  }

  @Test func `hands over what others put into the outbox and sends heartbeats`() throws {
    let applier = try installation.startDaemon()
    let signer = try startSigner()
    #expect(try installation.sendMain(wait: 0).status == 0)
    try applier.line(with: "event=applied")
    try waitUntil("a heartbeat") { try status()["heartbeat"] is String }
    #expect(try status()["newest"] as? String == (try installation.source.id().hex))
    try waitUntil("current") {
      try installation.run("status", "--config", "signer.yaml", "--json").text
        .contains("\"standing\" : \"current\"")
    }
    #expect(signer.end().status == 0)
    #expect(applier.end().status == 0)
  }

  /// Heartbeats come and go beside it, and are not what it waits for.
  @Test(.timeLimit(.minutes(10))) func `push that is not answered does not wait for ever`() throws {
    let applier = try installation.startDaemon()
    let signer = try startSigner()
    #expect(try installation.sendMain().status == 0)
    let holder = try installation.holdCheckout()
    try installation.source.commit(["a": "2\n"])
    let stored = "stored, no receipt yet"
    let send = try installation.sendMain(until: stored, seconds: 3)
    expectFailure(send)
    #expect(send.text.contains(stored))
    #expect(holder.end(SIGKILL).status == -SIGKILL)
    #expect(signer.end().status == 0)
    #expect(applier.end().status == 0)
  }

  /// Nobody pushes: the heartbeat shows that the checkout was set back.
  @Test func `brings back what was set back`() throws {
    // The first one comes at once, and is to live until it has been looked at.
    installation.options.signer = "heartbeat-seconds: 10"
    let applier = try installation.startDaemon()
    #expect(try installation.sendMain().status == 0)
    try installation.source.commit(["a": "2\n"])
    #expect(try installation.sendMain().status == 0)
    try installation.checkout.git("reset", "-q", "--hard", "HEAD~1")
    let signer = try startSigner()
    try waitUntil("healed") {
      try installation.checkout.id() == installation.source.id("main")
    }
    try waitUntil("fresh") {
      let row = try status()
      return row["stale"] == nil && row["heartbeat"] is String
    }
    #expect(signer.end().status == 0)
    #expect(applier.end().status == 0)
    try installation.expectEqual()
  }
}
