import Foundation
import TestSupport
import Testing

/// `distro relay`, the program itself.
@Suite struct RelayCommandTests {
  private let folder: PipelineFolder
  private let program: PipelineProgram

  init() throws {
    folder = try PipelineFolder()
    program = PipelineProgram(Installation.executable, in: folder)
    for (name, directory) in [
      ("relay", "keys"), ("signer", "keys/signers"), ("web1", "keys/appliers"),
    ] {
      #expect(try program.run(["keygen", name, "--directory", directory]).status == 0)
    }
    try write()
  }

  private func write(_ more: String = "", trusted: String = "keys/appliers") throws {
    try folder.write(
      "relay.yaml",
      """
      identity: keys/relay.key
      state: var/relay
      relay:
        signers: tcp://127.0.0.1:*
        appliers: tcp://127.0.0.1:*
        trusted-signers: keys/signers
        trusted-appliers: \(trusted)
      \(more)
      """)
  }

  private func start() throws -> RunningProgram {
    let relay = try RunningProgram(program, ["relay", "--config", "relay.yaml"])
    try relay.line(with: "event=listening")
    return relay
  }

  private func run() throws -> ProgramResult {
    try program.run(["relay", "--config", "relay.yaml"])
  }

  @Test func `starts and stops in time`() throws {
    let relay = try start()
    #expect(relay.log.contains("appliers=1"))
    relay.expectEnd()
  }

  @Test func `one relay works on a state`() throws {
    let relay = try start()
    expectFailure(try run(), "var/relay/spool: another process works on it", "same 'state:'")
    relay.expectEnd()
    try start().expectEnd()
  }

  /// Whoever can reach the port can make connections, and keep us from opening a file.
  @Test func `strangers who take all descriptors shut nobody out`() throws {
    let relay = try RunningProgram(
      PipelineProgram("/bin/sh", in: folder),
      [
        "-c", "ulimit -n 100; exec \"$0\" \"$@\"", program.executable, "relay", "--config",
        "relay.yaml",
      ])
    let line = try relay.line(with: "event=listening")
    let endpoint = try #require(line.split(separator: " ").first { $0.hasPrefix("appliers=tcp") })
    var strangers: [RawConnection]? = try (0..<150).map { _ in
      try RawConnection(to: String(endpoint))
    }
    try relay.line(with: "event=directory-unreadable")
    #expect(strangers?.count == 150)
    strangers = nil
    try FileManager.default.removeItem(atPath: folder.path("keys/appliers/web1.pub"))
    try relay.line(with: "appliers=0 signers=1")
    #expect(!relay.log.contains("refusing all of its identities"), "\(relay.log)")
    relay.expectEnd()
  }

  /// As systemd starts it: JOURNAL_STREAM names what standard error is.
  @Test func `journal is told the level of a line`() throws {
    let script = "JOURNAL_STREAM=$(stat -L -c %d:%i /dev/stderr) exec \"$0\" \"$@\""
    let relay = try RunningProgram(
      PipelineProgram("/bin/sh", in: folder),
      ["-c", script, program.executable, "relay", "--config", "relay.yaml"])
    #expect(try relay.line(with: "event=listening").hasPrefix("<5>20"))
    #expect(relay.end().status == 0)
    try write("log: {level: loud}")
    let failing = try RunningProgram(
      PipelineProgram("/bin/sh", in: folder),
      ["-c", script, program.executable, "relay", "--config", "relay.yaml"])
    #expect(try failing.line(with: "distro: error:").hasPrefix("<3>distro: error: "))
    #expect(failing.wait() == 78)
    try write()
    let other = try start()
    #expect(!other.log.contains("<"))
    #expect(other.end().status == 0)
  }

  @Test func `identities that come are seen without a signal`() throws {
    let relay = try start()
    #expect(try program.run(["keygen", "web2", "--directory", "keys/appliers"]).status == 0)
    try relay.line(with: "appliers=2")
    #expect(relay.end().status == 0)
  }

  @Test func `hang up reloads what is valid and keeps what is not`() throws {
    let relay = try start()
    try write("  quotas: {mailbox: {bytes: lots}}")
    kill(relay.pid, SIGHUP)
    #expect(try relay.line(with: "event=reload-failed").contains("lots"))
    try write("  quotas: {mailbox: {bytes: 1G}}")
    kill(relay.pid, SIGHUP)
    try relay.line(with: "event=reloaded")
    #expect(relay.end().status == 0)
  }

  @Test(arguments: [
    ("  routes: [{signer: signer, appliers: [web2]}]", "did you mean 'web1'?"),
    ("  routes: [{signer: web1, appliers: []}]", "no identity 'web1'"),
    ("  quotas: {mailbox: {bytes: 0}}", "relay.quotas.mailbox.bytes"),
    ("  quotas: {mailbox: {bytes: 99999999999999999999G}}", "number of bytes"),
    ("  quotas: {depositor: {days: 92}}", "over 91"),
    ("  quota: {}", "did you mean 'quotas'?"),
  ])
  func `what is wrong in the configuration is named`(_ line: String, _ words: String) throws {
    try write(line)
    expectFailure(try run(), status: 78, words)
  }

  @Test func `directory must be there`() throws {
    try write(trusted: "keys/nowhere")
    expectFailure(try run(), status: 78, "relay.trusted-appliers", "nowhere")
  }

  @Test func `example says what the defaults are`() throws {
    let example = try String(
      contentsOfFile: URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../config/relay.example.yaml").standardizedFileURL.path,
      encoding: .utf8)
    try FileManager.default.createDirectory(
      atPath: folder.path("config"), withIntermediateDirectories: false)
    let onFreePorts = example.replacing("5555", with: "*").replacing("5557", with: "*")
    try folder.write("config/relay.yaml", onFreePorts)
    let relay = try RunningProgram(program, ["relay", "--config", "config/relay.yaml"])
    try relay.line(with: "event=listening")
    #expect(relay.end().status == 0)
  }
}
