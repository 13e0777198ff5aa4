import Foundation
import GRDB
import TestSupport
import Testing

/// What needs attention is seen: `distro status` ends with 2 and names it.
struct AttentionTests {
  private let installation: Installation
  private var folder: PipelineFolder { installation.folder }

  init() throws {
    installation = try Installation(.init(signer: "heartbeat-seconds: 1"))
    try installation.source.commit(["a": "1\n"])
  }

  private func status(_ name: String = "signer.yaml") throws -> ProgramResult {
    try installation.run("status", "--config", name)
  }

  private func expect(
    _ status: Int32, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let result = try self.status()
    #expect(result.status == status, "\(result.text)", sourceLocation: sourceLocation)
    let text = result.sentence
    for word in words {
      #expect(text.contains(word), "\(result.text)", sourceLocation: sourceLocation)
    }
  }

  @Test func `a signer with unsent, waiting and refused messages ends with two`() throws {
    let daemon = try installation.startDaemon()
    #expect(try installation.sendMain().status == 0)
    try expect(0, "1 of 1 up to date")
    // Not sent.
    try installation.source.commit(["a": "2\n"])
    try expect(2, "has a commit that was not sent")
    // Refused.
    try installation.checkout.write("a", "by hand\n")
    #expect(try installation.sendMain().status == 2)
    try expect(2, "refused", "local-changes")
    #expect(daemon.end().status == 0)
    // Waiting.
    try installation.checkout.git("checkout", "-q", ".")
    try installation.source.commit(["a": "3\n"])
    #expect(try installation.sendMain(wait: 0).status == 0)
    try expect(2, "waits in the outbox")
    // The machine is in the way there, as its last answer says.
    let state = try DatabaseQueue(path: folder.path("var/signer/state.sqlite"))
    try state.write {
      try $0.execute(
        sql: "UPDATE recipient SET standing = 'blocked', block = 'disk-full', blockDetail = 'full'")
    }
    try state.close()
    try expect(2, "disk-full")
  }

  /// Messages of a signer that is not trusted are refused for no checkout.
  @Test func `an unknown signer is on the applier's status`() throws {
    try installation.succeed("keygen", "other")
    let path = folder.path("web1.yaml")
    // The connection is let in; the checkout takes another signer's word only.
    let text = try String(contentsOfFile: path, encoding: .utf8).replacing(
      "trusted-signers: [keys/signer.pub]",
      with: "trusted-signers: [keys/signer.pub, keys/other.pub]"
    ).replacing("    path: ", with: "    signers: [keys/other.pub]\n    path: ")
    try folder.write("web1.yaml", text)
    let daemon = try installation.startDaemon()
    #expect(try installation.sendMain().status == 2)
    #expect(daemon.end().status == 0)
    let status = try status("web1.yaml")
    #expect(status.text.contains("unknown-signer"), "\(status.text)")
  }
}
