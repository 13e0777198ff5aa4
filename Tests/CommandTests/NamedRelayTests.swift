import Foundation
import TestSupport
import Testing

/// A relay that is found by a name which has several addresses, at one of which it listens.
@Suite struct NamedRelayTests {
  private let installation: Installation
  private var folder: PipelineFolder { installation.folder }

  init() throws {
    installation = try Installation()
    try installation.writeRelay()
    try folder.write("hosts", "::1 relay.test\n127.0.0.9 relay.test\n127.0.0.1 relay.test\n")
  }

  private var shell: PipelineProgram { PipelineProgram("/usr/bin/unshare", in: folder) }

  /// The program, with a list of hosts of its own.
  private func arguments(_ arguments: String...) -> [String] {
    let script = "mount --bind hosts /etc/hosts && exec '\(installation.program.executable)' \"$@\""
    return ["--mount", "sh", "-c", script, "sh"] + arguments
  }

  @Test(.enabled(if: MountNamespace.isPermitted, "a program cannot be given other files here"))
  func `all addresses of a relay are tried`() throws {
    let relay = try installation.startRelay()
    for name in ["signer", "web1"] { try folder.edit("\(name).yaml", "127.0.0.1", "relay.test") }
    let applier = try RunningProgram(shell, arguments("verify-apply", "--config", "web1.yaml"))
    try installation.source.commit(["a": "1\n"])
    let sent = try shell.run(
      arguments(
        "sign-and-send", "--config", "signer.yaml", "--ref", "main", "--wait",
        "\(patience.components.seconds)"))
    #expect(sent.status == 0, "\(sent.errors)\(applier.log)")
    try installation.expectEqual()
    let doctor = try shell.run(arguments("doctor", "--config", "web1.yaml"))
    #expect(doctor.sentence.contains("has the expected key, and lets us in"), "\(doctor.text)")
    #expect(applier.end().status == 0)

    #expect(relay.end().status == 0)
    let later = try RunningProgram(shell, arguments("verify-apply", "--config", "web1.yaml"))
    #expect(try later.line(with: "event=carrier-unreachable").contains("nothing listens there"))
    #expect(later.log.contains("([::1])") && later.log.contains("(127.0.0.9)"), "\(later.log)")
    #expect(later.end().status == 0)
  }

  @Test(.enabled(if: MountNamespace.isPermitted, "a program cannot be given other files here"))
  func `name that nobody knows is told and tried again`() throws {
    let relay = try installation.startRelay()
    try folder.edit("web1.yaml", "127.0.0.1", "unknown.invalid")
    let applier = try RunningProgram(shell, arguments("verify-apply", "--config", "web1.yaml"))
    try applier.line(with: "unknown.invalid is not resolved")
    try folder.write("hosts", "127.0.0.1 unknown.invalid\n")
    try installation.source.commit(["a": "1\n"])
    let result = try installation.sendMain()
    #expect(result.status == 0, "\(result.errors)\(applier.log)")
    #expect(applier.end().status == 0 && relay.end().status == 0)
  }
}
