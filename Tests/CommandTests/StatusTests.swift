import Foundation
import GitModel
import TestSupport
import Testing

/// `distro status` with every kind of configuration, on the real program.
struct StatusTests {
  private let installation: Installation
  private var folder: PipelineFolder { installation.folder }

  init() throws {
    installation = try Installation()
    try installation.source.commit(["a": "1\n"])
  }

  private func text(_ name: String = "signer.yaml") throws -> String {
    let result = try installation.run("status", "--config", name)
    // A signer has something that waits here: 2 says that somebody should look.
    #expect([0, 2].contains(result.status) && result.errors == "", "\(result.errors)")
    return result.text
  }

  private func json(_ name: String) throws -> Any {
    try JSONSerialization.jsonObject(
      with: Data(try installation.run("status", "--config", name, "--json").output))
  }

  @Test func branchThatWasNotSentIsNamed() throws {
    try folder.edit("signer.yaml", "branches: [main]", "branches: [main, next]")
    try installation.source.git("branch", "next")
    let tip = try installation.source.id().abbreviated
    #expect(try installation.sendMain(wait: 0).status == 0)
    #expect(
      try text().contains(
        "next of \(Installation.remote), at \(tip), was never sent: "
          + "distro sign-and-send --ref next sends it"))
    try folder.edit("signer.yaml", "branches: [main, next]", "branches: [main]")
    #expect(try !text().contains("sign-and-send"))
    try installation.source.git("commit", "-q", "--allow-empty", "-m", "no change")
    #expect(try !text().contains("sign-and-send"))
    // Pushed, and no hook has run.
    for number in 2...3 { try installation.source.commit(["a": "\(number)\n"]) }
    #expect(try text().contains("has 3 commits that were not sent"))
    let row = try #require((try json("signer.yaml") as? [[String: Any]])?.first)
    #expect(row["unsentTip"] as? String == (try installation.source.id().hex))
    try installation.source.git("commit", "-q", "--amend", "-m", "other")
    #expect(try installation.sendMain(wait: 0).status == 0)
    try installation.source.git("reset", "-q", "--hard", "HEAD~1")
    #expect(try text().contains("is not at what was sent"))
  }

  @Test func machineThatIsNoRecipientAnyMoreIsNotListed() throws {
    #expect(try installation.sendMain(wait: 0).status == 0)
    #expect(try text().contains(" web1 "))
    try installation.succeed("keygen", "web2")
    try folder.edit("signer.yaml", "recipients: [keys/web1.pub]", "recipients: [keys/web2.pub]")
    #expect(try text() == "nothing was sent yet")
  }

  /// Run by root before the service was ever started, it would leave a state that the service cannot write.
  @Test func lookingMakesNothing() throws {
    try installation.writeRelay()
    for name in ["relay.yaml", "signer.yaml", "web1.yaml"] {
      #expect(try text(name).contains("no state yet"))
    }
    #expect(!FileManager.default.fileExists(atPath: folder.path("var")))
  }

  @Test func everyRoleOfServeIsShown() throws {
    try installation.writeRelay()
    try folder.write(
      "serve.yaml", "relay: relay.yaml\nsigner: signer.yaml\napplier: web1.yaml\n")
    #expect(try installation.sendMain(wait: 0).status == 0)
    #expect(try installation.run("verify-apply", "--config", "web1.yaml", "--once").status == 0)
    let relay = try RunningProgram(installation.program, ["relay", "--config", "relay.yaml"])
    try relay.line(with: "event=listening")
    let all = try text("serve.yaml")
    for name in ["relay.yaml", "signer.yaml", "web1.yaml"] {
      #expect(all.contains(try text(name)), "\(all)")
    }
    let roles = try #require(try json("serve.yaml") as? [String: Any])
    #expect(Set(roles.keys) == ["relay", "signer", "applier"])
    #expect(relay.end().status == 0)
  }

  @Test func fileThatNamesItselfIsAnError() throws {
    try folder.write("serve.yaml", "relay: serve.yaml\n")
    expectFailure(
      try installation.run("status", "--config", "serve.yaml"), status: 78,
      "not the configuration of a role 'relay'")
  }

  /// As a hook's output goes nowhere when the one who pushed has gone.
  @Test func readerThatHasGoneEndsNothing() throws {
    let script = "{ sleep 0.5; \"$0\" status --config signer.yaml; echo $? >ended; } | true"
    let shell = PipelineProgram("/bin/sh", in: folder)
    #expect(try shell.run(["-c", script, installation.program.executable]).status == 0)
    #expect(try String(contentsOfFile: folder.path("ended"), encoding: .utf8) == "0\n")
  }

  /// Nobody knows whether its branches have moved, which must not look as if they had not.
  @Test func repositoryThatCannotBeLookedAtIsNamed() throws {
    let installation = try Installation()
    try installation.source.commit(["a": "1\n"])
    #expect(try installation.sendMain(wait: 0).status == 0)
    let path = installation.source.path
    try FileManager.default.moveItem(atPath: path, toPath: path + ".away")
    let result = try installation.run("status", "--config", "signer.yaml")
    expectFailure(result, "/shop: ", "to a git repository")
    #expect(result.text.contains("waits in the outbox"))
  }
}
