import Foundation
import TestSupport
import Testing

/// Signer and applier that meet at a nats-server, and listen nowhere.
@Suite(.enabled(if: NATSServer.absence == nil, "nats-server is not installed"))
struct NATSPushTests {
  private let installation: Installation
  private var folder: PipelineFolder { installation.folder }

  init() throws { installation = try Installation() }

  @Test func `a push is applied and its receipt comes back also after the server was killed`()
    throws
  {
    let server = try NATSServer()
    try installation.carry(by: "nats: {urls: ['\(server.url)']}")
    let before = try Examination(installation, "signer.yaml")
    before.expect("ok", "carrier", "is there, and lets us in")
    before.expect(
      "warning", "carrier", "is not there: our daemon makes it", advice: "nats stream add")
    before.expect("problem", "trust", "unknown-mailbox", advice: "start the daemon of web1")
    let applier = try installation.startApplier()
    try applier.line(with: "event=carrier-connected")
    try installation.push("1\n", to: applier)
    let after = try Examination(installation, "signer.yaml")
    #expect(after.problems == [])
    after.expect("ok", "carrier", "is a work queue in files, on 1 servers; 0 messages wait")
    after.expect("ok", "trust", "its stream is there")
    after.expect("ok", "trust", "takes what we publish")
    server.kill()
    try Examination(installation, "web1.yaml").expect(
      "problem", "carrier", "cannot be reached", advice: "check that the server runs")
    try server.start()
    try installation.push("2\n", to: applier)
    #expect(applier.end().status == 0)
    try installation.pushToOneThatIsOff("3\n")
  }

  @Test func `a push goes through a cluster of which one server is dead`() throws {
    let servers = try NATSServer.cluster()
    let urls = servers.map { "'\($0.url)'" }.joined(separator: ", ")
    try installation.carry(by: "nats: {urls: [\(urls)], replicas: 3}")
    let applier = try installation.startApplier()
    try applier.line(with: "event=carrier-connected")
    try installation.push("1\n", to: applier)
    servers[0].kill()
    try installation.push("2\n", to: applier)
    // A stream that has just lost its leader answers late.
    #expect(try becomesTrue { try Examination(installation, "web1.yaml").problems.count == 1 })
    let found = try Examination(installation, "web1.yaml")
    found.expect("warning", "carrier", "a replica is off or behind", advice: "nats stream edit")
    #expect(applier.end().status == 0)
  }

  @Test func `both processes stay small whatever the payload`() throws {
    let server = try NATSServer()
    try installation.carry(by: "nats: {urls: ['\(server.url)']}")
    let applier = try installation.startApplier()
    try applier.line(with: "event=carrier-connected")
    try installation.expectSmallPrograms(applier)
  }

  @Test func `a login that is refused says what to write into the servers configuration`() throws {
    let server = try NATSServer("authorization { users = [ { user: web1, password: right } ] }")
    try folder.writeSecret("wrong", to: "password")
    try installation.carry(
      by: "nats: {urls: ['\(server.url)'], user: web1, password-file: password}")
    try Examination(installation, "web1.yaml").expect(
      "problem", "carrier", "the server refuses the login",
      advice: "permissions: { publish: [\"distro.")
  }
}

@Suite struct NATSConfigurationTests {
  @Test(.enabled(if: MountNamespace.isPermitted, "a program cannot be given other files here"))
  func `a machine without libnats is told which package has it`() throws {
    let installation = try Installation()
    try installation.carry("web1", by: "nats: {urls: ['nats://127.0.0.1']}")
    let script = """
      for file in /usr/lib/*/libnats.so.3.4; do
        test ! -e "$file" || mount --bind /dev/null "$file"
      done
      exec '\(installation.program.executable)' "$@"
      """
    for command in ["verify-apply", "doctor"] {
      let result = try PipelineProgram("/usr/bin/unshare", in: installation.folder).run(
        ["--mount", "sh", "-c", script, "sh", command, "--config", "web1.yaml"])
      #expect(result.status != 0)
      let said = (result.text + result.errors).split(separator: "\n").joined(separator: " ")
      #expect(said.contains("libnats.so.3.4"), "\(said)")
      #expect(said.contains("apt-get install libnats3.4"), "\(said)")
    }
  }

  @Test(arguments: [
    ("{urls: ['nats://n1.example.org']}", "without TLS"),
    ("{urls: ['tls://u:secret@n1.example.org']}", "password-file"),
    ("{urls: ['tls://n1.example.org']}", "credentials-file"),
    ("{urls: []}", "at least one server"),
    ("{urls: ['nats://127.0.0.1'], replicas: 7}", "from 1 to 5"),
    ("{urls: ['nats://127.0.0.1'], user: u}", "password-file"),
    ("{urls: ['nats://127.0.0.1'], password-file: p, credentials-file: c}", "either"),
  ])
  func `an entry that would be unsafe or is none is refused`(entry: String, words: String) throws {
    let installation = try Installation()
    try installation.carry("web1", by: "nats: \(entry)")
    expectFailure(
      try installation.run("verify-apply", "--config", "web1.yaml"), status: 78, words)
  }
}
