import Foundation
import TestSupport
import Testing

/// What is found out before anything is done.
struct UsageTests {
  private let installation: Installation
  private var folder: PipelineFolder { installation.folder }

  init() throws {
    installation = try Installation()
    try installation.source.commit(["a": "1\n"])
  }

  @Test func `a quorum that there are not enough recipients for is a usage error`() throws {
    expectFailure(
      try installation.send("--ref", "main", "--quorum", "2"), status: 64,
      "a quorum of 2 exceeds")
    #expect(try installation.send("--ref", "main", "--quorum", "1", "--wait", "0").status == 0)
  }

  @Test(arguments: [
    "127.0.0.1:5555", "tcp://127.0.0.1", "tcp://:5555", "tcp://127.0.0.1:99999", "udp://a:1",
  ])
  func `an address that no carrier can use ends with 78 at once`(address: String) throws {
    try installation.writeSigner(connect: address)
    expectFailure(
      try installation.sendMain(), status: 78, "signer.yaml:", "endpoint")
    try installation.writeRelay(signers: address)
    expectFailure(
      try installation.run("relay", "--config", "relay.yaml"), status: 78, "endpoint")
  }

  @Test func `an address that is not this machine's ends with 78`() throws {
    try installation.writeRelay(signers: "tcp://192.0.2.1:5555")
    expectFailure(
      try installation.run("relay", "--config", "relay.yaml"), status: 78, "192.0.2.1")
  }

  @Test func `a recipient without a key file keeps nothing from the others`() throws {
    try folder.edit(
      "signer.yaml", "recipients: [keys/web1.pub]", "recipients: [keys/gone.pub, keys/web1.pub]")
    let daemon = try installation.startDaemon()
    try folder.edit(
      "signer.yaml", "recipients: [keys/web1.pub]", "recipients: [keys/gone.pub, keys/web1.pub]")
    expectFailure(try installation.sendMain(), "keys/gone.pub: no such file")
    try installation.expectEqual()
    let status = try installation.run("status", "--config", "signer.yaml")
    expectFailure(status, "keys/gone.pub: no such file")
    #expect(status.text.contains("1 of 1 up to date"), "\(status.text)")
    try Examination(installation, "signer.yaml").expect(
      "problem", "key", "keys/gone.pub: no such file")
    #expect(daemon.end().status == 0)
    try folder.edit("signer.yaml", "[keys/gone.pub, keys/web1.pub]", "[keys/gone.pub]")
    expectFailure(try installation.sendMain(wait: 0), status: 78, "keys/gone.pub: no such file")
  }
}
