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

  @Test func pushIsAppliedAndItsReceiptComesBack() throws {
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

  @Test func pushWaitsAtTheRelayForAMachineThatIsOff() throws {
    let relay = try installation.startRelay()
    try installation.source.commit(["a": "1\n"])
    let sent = try installation.sendMain(until: "stored there")
    #expect(sent.status == 1 && sent.text.contains("stored there"), "\(sent.text)\(sent.errors)")
    let waiting = try installation.succeed("status", "--config", "relay.yaml")
    #expect(waiting.contains(#/web1 +applier +1 +\d+ +20/#), "\(waiting)")
    #expect(waiting.contains(#/signer +signer +0 +0 +-/#), "\(waiting)")
    try FileManager.default.moveItem(
      atPath: folder.path("keys/appliers/web1.pub"), toPath: folder.path("web1.pub"))
    let removed = try installation.succeed("status", "--config", "relay.yaml")
    #expect(removed.contains(#/[0-9a-f]+ +removed +1 /#), "\(removed)")
    try FileManager.default.moveItem(
      atPath: folder.path("web1.pub"), toPath: folder.path("keys/appliers/web1.pub"))
    let applier = try installation.startApplier()
    let result = try installation.send("--flush")
    #expect(result.status == 0, "\(result.errors)\(applier.log)")
    try installation.expectEqual()
    #expect(applier.end().status == 0 && relay.end().status == 0)
  }

  @Test func relayThatIsGoneForAWhileIsFoundAgain() throws {
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

  /// Not without root's rights, and not below a chroot(2) that is no mount of its own.
  private static let canMount: Bool = {
    do {
      let folder = try PipelineFolder()
      return try PipelineProgram("/usr/bin/unshare", in: folder).run(["--mount", "true"]).status
        == 0
    } catch {
      return false
    }
  }()

  /// With a list of hosts of its own, which is read again at every attempt, as DNS is.
  @Test(.enabled(if: canMount, "a program cannot be given other files here"))
  func relayThatMovesToAnotherAddressIsFoundByItsName() throws {
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

  @Test func signerThatTheRelayDoesNotKnowIsToldSo() throws {
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
}
