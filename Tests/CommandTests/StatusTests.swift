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
    expectNarrow(result.text)
    return result.text.replacing(/\n */, with: " ")
  }

  private func json(_ name: String) throws -> Any {
    try JSONSerialization.jsonObject(
      with: Data(try installation.run("status", "--config", name, "--json").output))
  }

  @Test func `branch that was not sent is named`() throws {
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

  /// Only a word that is longer may stand out.
  private func expectNarrow(_ text: String, _ width: Int = 80) {
    for line in text.split(separator: "\n") {
      let isNarrow = line.count <= width || !line.drop { $0 == " " }.contains(" ")
      #expect(isNarrow, "\(text)")
    }
  }

  @Test func `problems come first, with a summary, and details are wrapped`() throws {
    let daemon = try installation.startDaemon()
    try installation.succeed("keygen", "alpha")
    try folder.edit(
      "signer.yaml", "recipients: [keys/web1.pub]", "recipients: [keys/alpha.pub, keys/web1.pub]")
    try folder.edit(
      "signer.yaml", "repositories:",
      """
        - zeromq:
            connect: tcp://127.0.0.1:1
            server: keys/alpha.pub
      repositories:
      """)
    let name = String(repeating: "a long name ", count: 12) + "x"
    try installation.source.commit([name: "1\n"])
    #expect(try installation.send("--ref", "main", "--quorum", "1").status == 0)
    try installation.source.commit([name: "2\n"])
    try Data("mine\n".utf8).write(
      to: URL(fileURLWithPath: installation.checkout.path + "/" + name))
    #expect(try installation.sendMain(until: "local-changes").text.contains("local-changes"))
    let status = try installation.run("status", "--config", "signer.yaml").text
    let lines = status.split(separator: "\n").map(String.init)
    #expect(status.contains("0 of 2 up to date, 1 refused, 1 waits in the outbox"), "\(status)")
    let web1 = try #require(lines.firstIndex { $0.hasPrefix("web1 ") })
    let alpha = try #require(lines.firstIndex { $0.hasPrefix("alpha ") })
    #expect(web1 < alpha && lines[web1].hasSuffix("  refused"), "\(status)")
    #expect(lines[web1 + 1].hasPrefix("  refused ") && lines[web1 + 2].hasPrefix("  "))
    #expect(lines[web1 + 1].contains(": local-changes: \"a long name"), "\(status)")
    expectNarrow(status)
    let narrow = try installation.program.run(
      ["status", "--config", "signer.yaml"], environment: ["COLUMNS": "60"])
    expectNarrow(narrow.text, 60)
    #expect(daemon.end().status == 0)
  }

  @Test func `machine that is no recipient any more is not listed`() throws {
    #expect(try installation.sendMain(wait: 0).status == 0)
    #expect(try text().contains(" web1 "))
    try installation.succeed("keygen", "web2")
    try folder.edit("signer.yaml", "recipients: [keys/web1.pub]", "recipients: [keys/web2.pub]")
    #expect(try text() == "nothing was sent yet")
  }

  /// Run by root before the service was ever started, it would leave a state that the service cannot write.
  @Test func `looking makes nothing`() throws {
    try installation.writeRelay()
    for name in ["relay.yaml", "signer.yaml", "web1.yaml"] {
      #expect(try installation.run("status", "--config", name).text.contains("no state yet"))
    }
    #expect(!FileManager.default.fileExists(atPath: folder.path("var")))
  }

  @Test func `every role of serve is shown`() throws {
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

  @Test func `file that names itself is an error`() throws {
    try folder.write("serve.yaml", "relay: serve.yaml\n")
    expectFailure(
      try installation.run("status", "--config", "serve.yaml"), status: 78,
      "not the configuration of a role 'relay'")
  }

  /// As a hook's output goes nowhere when the one who pushed has gone.
  @Test func `reader that has gone ends nothing`() throws {
    let script = "{ sleep 0.5; \"$0\" status --config signer.yaml; echo $? >ended; } | true"
    let shell = PipelineProgram("/bin/sh", in: folder)
    #expect(try shell.run(["-c", script, installation.program.executable]).status == 0)
    #expect(try String(contentsOfFile: folder.path("ended"), encoding: .utf8) == "0\n")
  }

  /// Nobody knows whether its branches have moved, which must not look as if they had not.
  @Test func `repository that cannot be looked at is named`() throws {
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
