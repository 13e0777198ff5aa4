import Foundation
import TestSupport
import Testing

/// A large message whose way is broken off by the end of a program: it goes on there, whoever was killed.
@Suite struct ResumeTests {
  private static let mebibytes = 64
  /// What has crossed the line when the program is ended: one step of 32 MiB is on the disk for certain.
  private static let heldAt = 45 << 20
  /// What is left then, and what crosses besides: the last chunks once more, CURVE and TCP.
  private static let restMax = (mebibytes - 32 + 3) << 20

  private let installation: Installation

  init() throws {
    installation = try Installation()
    try installation.writeRelay()
    try installation.fillSource(mebibytes: Self.mebibytes)
  }

  /// A line to the relay's port that `name` is connected to from now on, and that is held in the middle.
  private func line(of name: String) throws -> CuttableLine {
    let text = try String(
      contentsOfFile: installation.folder.path("\(name).yaml"), encoding: .utf8)
    let word = try #require(text.split(separator: "\n").first { $0.contains("connect:") })
    let line = try CuttableLine(
      to: try #require(word.split(separator: ":").last.flatMap { UInt16($0) }),
      holdingAfter: Self.heldAt)
    try installation.connect(name, to: "tcp://127.0.0.1:\(line.port)")
    return line
  }

  /// Ends the program in the middle; answers what had crossed the line.
  private func end(_ program: RunningProgram, by signal: Int32, on line: CuttableLine) -> Int {
    let deadline = Date(timeIntervalSinceNow: 60)
    while line.byteCount < Self.heldAt, deadline.timeIntervalSinceNow > 0 { usleep(1_000) }
    program.end(signal)
    line.cut()
    line.release()
    #expect((Self.heldAt..<Self.heldAt + (1 << 20)).contains(line.byteCount))
    return line.byteCount
  }

  @Test(arguments: [SIGKILL, SIGTERM])
  func `collecting goes on where the applier was ended`(by signal: Int32) throws {
    let relay = try installation.startRelay()
    let sent = try installation.sendMain(wait: 20)
    #expect(sent.text.contains("stored, no receipt yet"), "\(sent.text)\(sent.errors)")
    let line = try line(of: "web1")
    defer { line.close() }
    let ended = try installation.startApplier()
    let before = end(ended, by: signal, on: line)

    let applier = try installation.startApplier()
    let result = try installation.send("--flush")
    #expect(result.status == 0, "\(result.errors)\(applier.log)")
    try installation.expectEqual()
    expectRest(line.byteCount - before, after: before, signal)
    #expect(applier.end().status == 0 && relay.end().status == 0)
    try expectEmptySpool("var/web1")
    try expectEmptySpool("var/relay")
  }

  @Test(arguments: [SIGKILL, SIGTERM])
  func `deposit goes on where the relay was ended`(by signal: Int32) throws {
    let ended = try installation.startRelay()
    let line = try line(of: "signer")
    defer { line.close() }
    let applier = try installation.startApplier()
    let send = try RunningProgram(
      installation.program,
      [
        "sign-and-send", "--config", "signer.yaml", "--ref", "main", "--wait",
        "\(patience.components.seconds)",
      ])
    let before = end(ended, by: signal, on: line)

    let relay = try RunningProgram(installation.program, ["relay", "--config", "relay.yaml"])
    #expect(send.wait() == 0, "\(send.log)\(relay.log)\(applier.log)")
    try installation.expectEqual()
    expectRest(line.byteCount - before, after: before, signal)
    #expect(applier.end().status == 0 && relay.end().status == 0)
    try expectEmptySpool("var/relay")
  }

  /// Nothing comes again that was kept; what was told to end has kept all.
  private func expectRest(_ rest: Int, after before: Int, _ signal: Int32) {
    let all = Self.mebibytes << 20
    let repeated = before + rest - all
    #expect(rest < Self.restMax, "\(repeated) bytes came twice")
    if signal == SIGTERM { #expect(repeated < 12 << 20) }
  }

  private func expectEmptySpool(_ state: String) throws {
    let names = try FileManager.default.contentsOfDirectory(
      atPath: installation.folder.path("\(state)/spool"))
    #expect(names == [])
  }
}
