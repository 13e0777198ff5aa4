import Foundation
import TestSupport
import Testing

/// From a code host's webhook to an applied push, with real programs all the way: hook, fetch, relay, applier.
struct WebhookTests {
  private let installation: Installation
  private let host: PipelineRepository
  private let port: UInt16
  private var folder: PipelineFolder { installation.folder }

  init() throws {
    installation = try Installation()
    port = try FreePort.take()
    host = try PipelineRepository(
      making: installation.folder.path("host/shop.git"), in: installation.folder,
      options: ["--bare", "--initial-branch=main"])
    try SignedHook(folder: installation.folder).writeSecret()
    try folder.write(
      "hooks.yaml",
      """
      listen: 127.0.0.1:\(port)
      state: var/hooks
      signer: signer.sock
      hooks:
        - path: /hooks/shop
          host: generic
          remote: \(Installation.remote)
          secret-files: [secret]
      """)
    try installation.writeRelay()
  }

  private func useUpstream() throws {
    let text = try String(contentsOfFile: folder.path("signer.yaml"), encoding: .utf8)
      .replacing("path: shop\n", with: "upstream: file://\(host.path)\n")
    try folder.write("signer.yaml", text + "\nsocket: signer.sock\n")
  }

  private func push(_ content: String) throws {
    try installation.source.commit(["a": content])
    try installation.source.git("push", "-q", host.path, "main")
  }

  private func knock() throws -> String {
    try SignedHook(folder: folder).post(to: port)
  }

  private func expectArrival(_ daemon: RunningProgram) throws {
    #expect(
      try becomesTrue { try installation.checkout.stands(at: installation.source.id("main").hex) },
      "\(daemon.log)")
  }

  @Test func `a webhook's push is fetched, sent, applied and answered`() throws {
    let relay = try installation.startRelay()
    try useUpstream()
    try push("1\n")
    try folder.write("serve.yaml", "signer: signer.yaml\nhooks: hooks.yaml\n")
    let daemon = try installation.startSigner()
    let applier = try installation.startApplier()
    #expect(try knock() == "202")
    try expectArrival(daemon)
    try push("2\n")
    #expect(try knock() == "202")
    try expectArrival(daemon)
    try installation.expectEqual()
    #expect(becomesTrue { daemon.log.contains("event=applied") }, "\(daemon.log)")
    // Where a hook is missed, nothing is sent until the next one; a burst is one push more.
    for number in 3...6 { try push("\(number)\n") }
    for _ in 1...4 { #expect(try knock() == "202") }
    try expectArrival(daemon)
    daemon.expectEnd()
    #expect(applier.end().status == 0 && relay.end().status == 0)
  }

  @Test func `a webhook that comes while the signer is down is sent when it is back`() throws {
    let relay = try installation.startRelay()
    try useUpstream()
    try push("1\n")
    let hooks = try RunningProgram(installation.program, ["hooks", "--config", "hooks.yaml"])
    try hooks.line(with: "event=listening")
    #expect(try knock() == "202")
    try hooks.line(with: "event=hook-kept")
    try folder.write("serve.yaml", "signer: signer.yaml\n")
    let applier = try installation.startApplier()
    let signer = try installation.startSigner()
    try hooks.line(with: "event=hook-handed-over")
    try expectArrival(signer)
    signer.expectEnd()
    hooks.expectEnd()
    #expect(applier.end().status == 0 && relay.end().status == 0)
  }
}
