import Foundation
import TestSupport
import Testing

/// A relay on another network, and a line that dies without a word: both ends notice, and what was missed arrives.
@Suite struct HalfOpenLineTests {
  private static let remote = "git@example.org:acme/shop.git"
  private static let port = 5_557
  private let folder: PipelineFolder
  private let program: PipelineProgram
  private let source: PipelineRepository
  private let checkout: PipelineRepository

  init() throws {
    folder = try PipelineFolder()
    program = PipelineProgram(Installation.executable, in: folder)
    source = try PipelineRepository(making: folder.path("shop"), in: folder)
    checkout = PipelineRepository(at: folder.path("live"), in: folder)
    for (name, directory) in [
      ("relay", "keys"), ("signer", "keys/signers"), ("web1", "keys/appliers"),
    ] {
      #expect(try program.run(["keygen", name, "--directory", directory]).status == 0)
    }
  }

  private func write(relay address: String) throws {
    try folder.write(
      "relay.yaml",
      """
      identity: keys/relay.key
      state: var/relay
      relay:
        signers: tcp://127.0.0.1:5555
        appliers: tcp://\(address):\(Self.port)
        trusted-signers: keys/signers
        trusted-appliers: keys/appliers
      """)
    try folder.write(
      "signer.yaml",
      """
      identity: keys/signers/signer.key
      state: var/signer
      carriers: [{zeromq: {connect: "tcp://127.0.0.1:5555", server: keys/relay.pub}}]
      repositories:
        - {path: shop, remote: "\(Self.remote)", branches: [main], recipients: [keys/appliers/web1.pub]}
      """)
    try folder.write(
      "web1.yaml",
      """
      identity: keys/appliers/web1.key
      state: var/web1
      carriers: [{zeromq: {connect: "tcp://\(address):\(Self.port)", server: keys/relay.pub}}]
      trusted-signers: [keys/signers/signer.pub]
      checkouts: [{remote: "\(Self.remote)", branch: main, path: live}]
      """)
  }

  @Test(.enabled(if: Namespace.isPermitted, "making a network namespace is not permitted here"))
  func `line that loses everything is noticed on both sides and healed`() throws {
    let namespace = try Namespace(in: folder)
    try write(relay: namespace.far)
    let there = namespace.program(program)
    func send(_ arguments: String...) throws -> ProgramResult {
      try there.run(
        namespace.arguments(program, ["sign-and-send", "--config", "signer.yaml"] + arguments))
    }
    let relay = try RunningProgram(
      there, namespace.arguments(program, ["relay", "--config", "relay.yaml"]))
    try relay.line(with: "event=listening")
    let applier = try RunningProgram(program, ["verify-apply", "--config", "web1.yaml"])
    try source.commit(["a": "1\n"])
    let first = try send("--ref", "main", "--wait", "\(patience.components.seconds)")
    #expect(first.status == 0, "\(first.errors)\(applier.log)\(relay.log)")
    #expect(try checkout.id() == source.id("main"))
    #expect(try namespace.connectionCount(port: Self.port) == 1)

    try namespace.lose()
    try source.commit(["a": "2\n"])
    #expect(try send("--ref", "main", "--wait", "1").status == 1)
    // Silence of the application's after 30 s, ZMTP's heartbeats after 15 s and 30 s more. TCP's own
    // patience is far longer than ours.
    try applier.line(with: "event=carrier-unreachable")
    let isNoticed = try becomesTrue { try namespace.connectionCount(port: Self.port) == 0 }
    try #require(isNoticed, "the relay keeps a connection that is dead")
    #expect(try checkout.id() != source.id("main"))

    try namespace.restore()
    let last = try send("--flush", "--wait", "\(patience.components.seconds)")
    #expect(last.status == 0, "\(last.errors)\(applier.log)")
    #expect(try checkout.id() == source.id("main"))
    #expect(applier.end().status == 0 && relay.end().status == 0)
  }
}
