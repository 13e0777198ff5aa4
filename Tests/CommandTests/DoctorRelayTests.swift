import Foundation
import TestSupport
import Testing

/// Every finding of `distro doctor` about a relay, provoked on the real program.
struct DoctorRelayTests {
  private let installation: Installation
  private var folder: PipelineFolder { installation.folder }

  init() throws {
    installation = try Installation()
    try installation.writeRelay()
  }

  private func examine(under command: [String] = []) throws -> Examination {
    try Examination(installation, "relay.yaml", under: command)
  }

  @Test func `finds no problem where a relay runs`() throws {
    let relay = try RunningProgram(installation.program, ["relay", "--config", "relay.yaml"])
    let line = try relay.line(with: "event=listening")
    let ports = line.matches(of: /tcp:\/\/127\.0\.0\.1:\d+/).map { String($0.output) }
    try #require(ports.count == 2)
    try installation.writeRelay(signers: ports[1], appliers: ports[0])
    let result = try examine()
    #expect(result.problems == [])
    #expect(result.findings.count { $0.finding == "our daemon listens there" } == 2)
    result.expect("ok", "trust", "lets in 1 signers")
    result.expect("ok", "trust", "lets in 1 appliers")
    result.expect("ok", "key", "it is relay")
    #expect(relay.end().status == 0)
  }

  @Test func `empty directory is a warning`() throws {
    try FileManager.default.removeItem(atPath: folder.path("keys/appliers/web1.pub"))
    try examine().expect("warning", "trust", "lets in no appliers", advice: ".pub files")
  }

  @Test func `broken identity is a problem`() throws {
    try folder.write("keys/appliers/web2.pub", "nonsense\n")
    try examine().expect("problem", "trust", "web2.pub: is not let in", advice: "again")
  }

  @Test func `directory that others can write to is a problem`() throws {
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o777], ofItemAtPath: folder.path("keys/signers"))
    try examine().expect("problem", "trust", "others can let themselves in", advice: "chmod go-w")
  }

  @Test func `directory that is not there is a problem`() throws {
    try FileManager.default.removeItem(atPath: folder.path("keys/signers"))
    try examine().expect("problem", "configuration", "trusted-signers")
  }

  @Test func `fewer descriptors than machines is a problem`() throws {
    let result = try examine(under: ["/usr/bin/prlimit", "--nofile=256:256", "--"])
    result.expect("problem", "limits", "256 open files are allowed, 260", advice: "LimitNOFILE=")
  }
}
