import Foundation
import TestSupport
import Testing

/// Signer and applier that meet at a relay, and listen nowhere.
@Suite struct RelayedPushTests {
  private let installation: Installation
  private var folder: PipelineFolder { installation.folder }

  init() throws {
    installation = try Installation()
    try installation.writeRelay()
  }

  @Test func `push is applied and its receipt comes back`() throws {
    let relay = try installation.startRelay()
    let applier = try installation.startApplier()
    for number in 1...3 {
      try installation.source.commit(["a": "\(number)\n"])
      let result = try installation.sendMain()
      #expect(result.status == 0, "\(result.errors)\(applier.log)")
      try installation.expectEqual()
    }
    #expect(applier.end().status == 0 && relay.end().status == 0)
  }

  @Test func `push waits at the relay for a machine that is off`() throws {
    let relay = try installation.startRelay()
    try installation.source.commit(["a": "1\n"])
    let sent = try installation.sendMain(until: "stored, no receipt")
    #expect(
      sent.status == 1 && sent.text.contains("stored, no receipt"), "\(sent.text)\(sent.errors)")
    let waiting = try installation.succeed("status", "--config", "relay.yaml")
    #expect(
      waiting.contains(#/applier +1 +[\d.]+ (kB|bytes) +(now|\d+ s ago) +- +web1/#), "\(waiting)")
    #expect(waiting.contains(#/signer +0 +0 bytes +- +- +signer/#), "\(waiting)")
    try FileManager.default.moveItem(
      atPath: folder.path("keys/appliers/web1.pub"), toPath: folder.path("web1.pub"))
    let removed = try installation.succeed("status", "--config", "relay.yaml")
    #expect(removed.contains(#/removed +1 .+ [0-9a-f]+/#), "\(removed)")
    try FileManager.default.moveItem(
      atPath: folder.path("web1.pub"), toPath: folder.path("keys/appliers/web1.pub"))
    let applier = try installation.startApplier()
    let result = try installation.send("--flush")
    #expect(result.status == 0, "\(result.errors)\(applier.log)")
    try installation.expectEqual()
    #expect(applier.end().status == 0 && relay.end().status == 0)
  }

  @Test func `relay that is gone for a while is found again`() throws {
    let first = try installation.startRelay()
    let applier = try installation.startApplier()
    try installation.source.commit(["a": "1\n"])
    #expect(try installation.sendMain().status == 0)
    first.end(SIGKILL)
    try applier.line(with: "event=carrier-unreachable")
    try installation.source.commit(["a": "2\n"])
    expectFailure(
      try installation.sendMain(until: "nothing listens"), "nothing listens", "nothing is lost")
    let second = try installation.startRelay()
    let result = try installation.send("--flush")
    #expect(result.status == 0, "\(result.errors)\(applier.log)")
    try installation.expectEqual()
    #expect(applier.end().status == 0 && second.end().status == 0)
  }

  /// With a list of hosts of its own, which is read again at every attempt, as DNS is.
  @Test(.enabled(if: MountNamespace.isPermitted, "a program cannot be given other files here"))
  func `relay that moves to another address is found by its name`() throws {
    let first = try installation.startRelay()
    try folder.edit("web1.yaml", "127.0.0.1", "relay.test")
    try folder.write("hosts", "127.0.0.1 relay.test\n")
    let script = "mount --bind hosts /etc/hosts && exec '\(installation.program.executable)' \"$@\""
    let applier = try RunningProgram(
      PipelineProgram("/usr/bin/unshare", in: folder),
      ["--mount", "sh", "-c", script, "sh", "verify-apply", "--config", "web1.yaml"])
    try installation.source.commit(["a": "1\n"])
    #expect(try installation.sendMain().status == 0, "\(applier.log)")
    first.end(SIGKILL)
    try applier.line(with: "event=carrier-unreachable")

    try folder.edit("relay.yaml", "appliers: tcp://127.0.0.1", "appliers: tcp://127.0.0.9")
    // In place: it is this file that lies over /etc/hosts there.
    try folder.write("hosts", "127.0.0.9 relay.test\n")
    let second = try RunningProgram(installation.program, ["relay", "--config", "relay.yaml"])
    try second.line(with: "event=listening")
    try installation.source.commit(["a": "2\n"])
    let result = try installation.sendMain()
    #expect(result.status == 0, "\(result.errors)\(applier.log)")
    try installation.expectEqual()
    #expect(applier.end().status == 0 && second.end().status == 0)
  }

  @Test func `signer that the relay does not know is told so`() throws {
    let relay = try installation.startRelay()
    try installation.succeed("keygen", "other")
    try FileManager.default.removeItem(atPath: folder.path("keys/signer.key"))
    try FileManager.default.moveItem(
      atPath: folder.path("keys/other.key"), toPath: folder.path("keys/signer.key"))
    try installation.source.commit(["a": "1\n"])
    let start = ContinuousClock.now
    expectFailure(
      try installation.sendMain(wait: 600), "not on its list", "nothing is lost")
    // At once, not after all the time that it may wait.
    #expect(ContinuousClock.now - start < patience)
    #expect(relay.end().status == 0)
  }

  @Test func `once collects from the relay, applies, and leaves its answers there`() throws {
    try installation.source.commit(["a": "1\n"])
    let relay = try installation.startRelay()
    expectFailure(try installation.sendMain(until: "stored, no receipt yet"))
    let once = try installation.run("verify-apply", "--config", "web1.yaml", "--once", "--json")
    #expect(once.status == 0, "\(once.errors)")
    let rows = try JSONDecoder().decode([[String: String]].self, from: Data(once.output))
    #expect(rows.map { $0["outcome"] } == ["applied"], "\(rows)")
    try installation.expectEqual()
    #expect(try installation.send("--flush").text.contains(" applied "))
    // What is refused ends it with two, and the refusal is at the relay as well.
    try installation.source.commit(["a": "2\n"])
    try installation.checkout.write("a", "by hand\n")
    expectFailure(try installation.sendMain(until: "stored, no receipt yet"))
    let refused = try installation.run("verify-apply", "--config", "web1.yaml", "--once")
    #expect(refused.status == 2, "\(refused.errors)")
    #expect(try installation.send("--flush").text.contains("refused: local-changes"))
    // Nothing waits.
    #expect(try installation.run("verify-apply", "--config", "web1.yaml", "--once").status == 0)
    #expect(relay.end().status == 0)
    let alone = try installation.run("verify-apply", "--config", "web1.yaml", "--once")
    expectFailure(alone, "127.0.0.1")
  }
}
