import Foundation
import TestSupport
import Testing

/// `sign-and-send` again: after a run that came to nothing, after the configuration has changed, with machines that are off.
struct RepeatedRunTests {
  private let installation: Installation
  private var source: PipelineRepository { installation.source }

  init() throws {
    installation = try Installation()
    try source.commit(["a": "1\n"])
  }

  /// A second machine, which is off.
  private func addMachine() throws {
    try installation.succeed("keygen", "web2")
    try installation.folder.edit("signer.yaml", "recipients: [", "recipients: [keys/web2.pub, ")
    try installation.folder.edit(
      "signer.yaml", "repositories:",
      """
        - zeromq:
            connect: tcp://127.0.0.1:1
            server: keys/web2.pub
      repositories:
      """)
  }

  @Test func `run that is repeated goes on where the last one ended`() throws {
    #expect(try installation.sendMain(until: "nothing listens there").status == 1)
    let daemon = try installation.startDaemon()
    let again = try installation.sendMain()
    #expect(again.status == 0 && again.text.contains(" applied "), "\(again.errors)")
    #expect(again.errors.contains("on its way already"))
    try installation.expectEqual()
    let third = try installation.sendMain()
    #expect(
      third.status == 0 && third.errors.contains("all recipients are up to date"), "\(third.errors)"
    )
    #expect(daemon.end().status == 0)
  }

  @Test func `machine that is off has not applied what is on its way to it`() throws {
    let daemon = try installation.startDaemon()
    #expect(try installation.sendMain().status == 0)
    try addMachine()
    try source.commit(["a": "2\n"])
    try installation.checkout.write("a", "mine\n")
    #expect(try installation.send("--ref", "main", "--quorum", "1", "--wait", "2").status == 1)
    try installation.checkout.git("checkout", "-q", "a")
    expectFailure(try installation.send("--ref", "main", "--quorum", "2", "--wait", "5"))
    let revision = try source.id("main").hex
    #expect(becomesTrue { installation.checkout.stands(at: revision) })
    #expect(try installation.send("--ref", "main", "--quorum", "1").status == 0)
    #expect(daemon.end().status == 0)
  }

  @Test func `nobody waits for a machine that was taken away`() throws {
    let daemon = try installation.startDaemon()
    #expect(try installation.sendMain().status == 0)
    try addMachine()
    try source.commit(["a": "2\n"])
    #expect(try installation.send("--ref", "main", "--wait", "2").status == 1)
    try installation.folder.edit("signer.yaml", "keys/web2.pub, ", "")
    let flushed = try installation.send("--flush")
    #expect(flushed.status == 0 && flushed.errors.contains("the outbox is empty"))
    #expect(daemon.end().status == 0)
  }

  @Test func `machine that is new is given all`() throws {
    #expect(try installation.sendMain(wait: 0).status == 0)
    try addMachine()
    let result = try installation.sendMain(wait: 0)
    #expect(result.status == 0 && result.text.contains("web2: main"), "\(result.text)")
  }

  /// Other branches for other machines, and a second remote for the same ones.
  @Test func `repository may be named more than once`() throws {
    try source.git("branch", "staging")
    try installation.folder.edit(
      "signer.yaml", "repositories:",
      """
      repositories:
        - path: shop
          remote: \(Installation.remote)
          branches: [staging]
          recipients: [keys/web1.pub]
        - path: shop
          remote: git@example.org:acme/mirror.git
          branches: [main]
          recipients: [keys/web1.pub]
      """)
    let head = try source.id()
    let zeros = String(repeating: "0", count: 40)
    let lines = ["staging", "main"].map { "\(zeros) \(head) refs/heads/\($0)\n" }.joined()
    let result = try installation.send("--wait", "0", input: lines)
    #expect(result.status == 0, "\(result.errors)")
    let sent = result.text.split(separator: "\n")
    #expect(sent.count == 3 && sent.count { $0.contains("staging") } == 1, "\(result.text)")
    try installation.folder.edit("signer.yaml", "acme/mirror.git", "acme/shop.git")
    expectFailure(
      try installation.sendMain(wait: 0), status: 78, "is named twice", "acme/shop.git")
  }
}
