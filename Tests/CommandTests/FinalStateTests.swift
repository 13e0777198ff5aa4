import Foundation
import TestSupport
import Testing

/// The last word of `sign-and-send` beside a daemon that heals is the final state, whichever of the two sends.
struct FinalStateTests {
  private let installation: Installation
  private var folder: PipelineFolder { installation.folder }

  init() throws {
    installation = try Installation(.init(signer: "heartbeat-seconds: 1"))
    try installation.use(.daemon)
    try installation.source.commit(["a": "1\n"])
  }

  /// The same state under a configuration whose socket nothing listens at: this run sends by itself, beside the daemon.
  private func sendBeside(_ more: String...) throws -> ProgramResult {
    let text = try String(contentsOfFile: folder.path("signer.yaml"), encoding: .utf8)
    try folder.write(
      "beside.yaml", text.replacing("socket: signer.sock", with: "socket: none.sock"))
    return try installation.program.run(
      [
        "sign-and-send", "--config", "beside.yaml", "--ref", "main", "--wait",
        "\(patience.components.seconds)",
      ] + more)
  }

  /// The checkout was set back: the message does not start from there, and the daemon sends what leads on.
  @Test(arguments: Installation.Way.allCases)
  func `a machine that is elsewhere is healed before the last word, five times in a row`(
    way: Installation.Way
  ) throws {
    let applier = try installation.startDaemon()
    #expect(try installation.sendMain().status == 0)
    try installation.source.commit(["a": "2\n"])
    #expect(try installation.sendMain().status == 0)
    for round in 1...5 {
      try installation.checkout.git("reset", "-q", "--hard", "HEAD~1")
      try installation.source.commit(["a": "round \(round)\n"])
      let result = way == .daemon ? try installation.sendMain() : try sendBeside()
      #expect(result.status == 0, "round \(round): \(result.text) \(result.errors)")
      #expect(!result.text.contains("behind"), "round \(round): \(result.text)")
      #expect(result.text.split(separator: "\n").count == 1)
      try installation.expectEqual()
    }
    #expect(applier.end().status == 0)
  }

  @Test(arguments: Installation.Way.allCases)
  func `a push that changes nothing or everything ends the same way five times`(
    way: Installation.Way
  ) throws {
    let applier = try installation.startDaemon()
    #expect(try installation.sendMain().status == 0)
    for round in 1...5 {
      if round % 2 == 0 { try installation.source.commit(["a": "\(round)\n"]) }
      let result = way == .daemon ? try installation.sendMain() : try sendBeside()
      #expect(result.status == 0, "\(result.text) \(result.errors)")
      #expect(result.text.contains("applied") || result.text.contains("up to date"))
    }
    try installation.expectEqual()
    #expect(applier.end().status == 0)
  }

  /// The machine has the revision; what was asked for is that it is replaced.
  @Test(arguments: Installation.Way.allCases)
  func `a snapshot that is refused is the last word, whatever the machine has`(
    way: Installation.Way
  ) throws {
    let applier = try installation.startDaemon()
    #expect(try installation.sendMain().status == 0)
    try installation.checkout.git("switch", "-q", "-c", "other")
    let send = { [self] in
      way == .daemon
        ? try installation.send("--ref", "main", "--snapshot") : try sendBeside("--snapshot")
    }
    let snapshot = try send()
    #expect(snapshot.status == 2, "\(snapshot.text) \(snapshot.errors)")
    #expect(snapshot.text.contains("refused: branch-mismatch"), "\(snapshot.text)")
    try installation.checkout.git("switch", "-q", "main")
    let again = try send()
    #expect(again.status == 0, "\(again.text) \(again.errors)")
    try installation.expectEqual()
    #expect(applier.end().status == 0)
  }
}
