import Foundation
import TestSupport
import Testing

private enum SystemdAnalyze {
  static let path = "/usr/bin/systemd-analyze"
  static let isInstalled = FileManager.default.isExecutableFile(atPath: path)
}

/// The units in config/systemd, judged by systemd's own tool; where it is not there, `make deps` installs it.
@Suite(.enabled(if: SystemdAnalyze.isInstalled, "systemd-analyze is not installed"))
struct SystemdTests {
  private static let directory =
    URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
    + "/config/systemd"
  private static let names = [
    "distro-hooks", "distro-relay", "distro-serve", "distro-verify-apply",
  ]

  private let folder: PipelineFolder

  init() throws { folder = try PipelineFolder() }

  private func analyze(_ arguments: String...) throws -> ProgramResult {
    try PipelineProgram(SystemdAnalyze.path, in: folder).run(arguments)
  }

  private func text(_ name: String) throws -> String {
    try String(contentsOfFile: "\(Self.directory)/\(name).service", encoding: .utf8)
  }

  @Test func `there is no other`() throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: Self.directory)
    #expect(files.sorted() == Self.names.map { $0 + ".service" })
  }

  /// Twenty tenths is the line: systemd calls up to 4.9 "OK".
  @Test(arguments: names) func `exposure is low`(name: String) throws {
    let unit = "\(Self.directory)/\(name).service"
    let result = try analyze(
      "security", "--offline=true", "--no-pager", "--threshold=20", unit)
    #expect(result.status == 0, "\(result.text.suffix(200))\(result.errors)")
    #expect(result.text.contains("Overall exposure level for \(name).service: 1."))
  }

  @Test(arguments: names) func `systemd understands it`(name: String) throws {
    // Not installed where the unit says: the program that is tested stands in.
    let unit = try text(name).replacing("/usr/local/bin/distro", with: Installation.executable)
    try folder.write("\(name).service", unit)
    let result = try analyze("verify", "--man=no", folder.path("\(name).service"))
    #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
  }

  @Test(arguments: names) func `starts a command that there is`(name: String) throws {
    let line = try #require(
      try text(name).split(separator: "\n").first { $0.hasPrefix("ExecStart=") })
    let words = line.split(separator: " ")
    #expect(words[2] == "--config" && words[3].hasPrefix("/etc/distro/"))
    let program = PipelineProgram(Installation.executable, in: folder)
    #expect(try program.run([String(words[1]), "--help"]).status == 0)
  }

  /// What a filter forbids, the program must be able to do without: libzmq, for one, ends it.
  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/strace")))
  func `program calls nothing that the unit forbids`() throws {
    let installation = try Installation()
    try installation.source.commit(["a": "1\n"])
    try installation.writeRelay()
    let relay = try traced(installation, "relay", "--config", "relay.yaml")
    try relay.daemon.line(with: "event=listening")
    let applier = try traced(installation, "verify-apply", "--config", "web1.yaml")
    try installation.adoptEndpoint(of: applier.daemon)
    #expect(try installation.sendMain().status == 0)
    // For the calls that answering it takes; whether it is answered in time is not asked here.
    _ = try installation.run("doctor", "--config", "web1.yaml")
    for traced in [relay, applier] { try expectAllowed(traced) }
  }

  /// With the programs that it calls: git, and what git calls.
  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/strace")))
  func `signer that fetches, and hooks, call nothing that the unit forbids`() throws {
    let installation = try Installation()
    let folder = installation.folder
    let host = try PipelineRepository(
      making: folder.path("host/shop.git"), in: folder, options: ["--bare"])
    try installation.source.commit(["a": "1\n"])
    try installation.source.git("push", "-q", host.path, "main")
    let server = try HTTPGitServer(root: folder.path("host"), in: folder)
    let port = try FreePort.take()
    try SignedHook(folder: folder).writeSecret()
    try folder.write(
      "hooks.yaml",
      """
      listen: 127.0.0.1:\(port)
      state: var/hooks
      signer: signer.sock
      hooks:
        - {path: /hooks/shop, host: generic, remote: \(Installation.remote), secret-files: [secret]}
      """)
    let applier = try installation.startDaemon()
    try installation.use(.daemon)
    try folder.edit("signer.yaml", "path: shop\n", "upstream: \(server.url("shop.git"))\n")
    let signer = try traced(installation, "serve", "--config", "serve.yaml")
    try signer.daemon.line(with: "event=taking-requests")
    let hooks = try traced(installation, "hooks", "--config", "hooks.yaml")
    try hooks.daemon.line(with: "event=ready")
    #expect(try SignedHook(folder: folder).post(to: port) == "202")
    let revision = try installation.source.id().hex
    #expect(
      becomesTrue { installation.checkout.stands(at: revision) },
      "\(hooks.daemon.log)\(signer.daemon.log)")
    let trace = try String(contentsOfFile: signer.trace, encoding: .utf8)
    #expect(trace.contains("execve(\"/usr/bin/git\"") && trace.contains("git-remote-http"))
    for traced in [hooks, signer] { try expectAllowed(traced) }
    #expect(applier.end().status == 0)
  }

  private func expectAllowed(_ traced: (daemon: RunningProgram, trace: String)) throws {
    try endTraced(traced.daemon)
    let trace = try String(contentsOfFile: traced.trace, encoding: .utf8)
    let called = Set(trace.matches(of: /(?m)^\d+ +([a-z_0-9]+)\(/).map { String($0.output.1) })
    #expect(called.count > 50)
    // SQLite gives its files to the owner of the database when it runs as root, which the units never do.
    #expect(called.subtracting(try allowedCalls()).subtracting(["fchown"]) == [])
    let families = Set(trace.matches(of: #/ socket\((AF_[A-Z0-9]+)/#).map { String($0.output.1) })
    #expect(!families.isDisjoint(with: ["AF_INET", "AF_INET6"]))
    #expect(families.subtracting(try allowedFamilies()) == [])
  }

  private func traced(
    _ installation: Installation, _ arguments: String...
  ) throws -> (daemon: RunningProgram, trace: String) {
    let trace = installation.folder.path("trace-\(arguments[0])")
    let strace = PipelineProgram("/usr/bin/strace", in: installation.folder)
    let daemon = try RunningProgram(
      strace, ["-f", "-qq", "-o", trace, Installation.executable] + arguments)
    return (daemon, trace)
  }

  /// strace passes a signal on only to itself.
  private func endTraced(_ daemon: RunningProgram) throws {
    let children = try String(
      contentsOfFile: "/proc/\(daemon.pid)/task/\(daemon.pid)/children", encoding: .utf8)
    kill(try #require(children.split(separator: " ").first.flatMap { Int32($0) }), SIGTERM)
    #expect(daemon.wait() == 0)
  }

  /// The lines of all units with this key, which are the same.
  private func values(_ key: String) throws -> [Substring] {
    let lines = try Self.names.map { name in
      try text(name).split(separator: "\n").filter { $0.hasPrefix(key + "=") }
    }
    #expect(Set(lines).count == 1)
    return lines[0].map { $0.dropFirst(key.count + 1) }
  }

  private func allowedFamilies() throws -> Set<String> {
    Set(try values("RestrictAddressFamilies").flatMap { $0.split(separator: " ").map(String.init) })
  }

  private func allowedCalls() throws -> Set<String> {
    var allowed: Set<String> = []
    for words in try values("SystemCallFilter") {
      let calls = try words.drop { $0 == "~" }.split(separator: " ")
        .flatMap { $0.hasPrefix("@") ? try group(String($0)) : [String($0)] }
      if words.hasPrefix("~") { allowed.subtract(calls) } else { allowed.formUnion(calls) }
    }
    return allowed
  }

  /// The calls of a group such as `@system-service`, and of the groups in it.
  private func group(_ name: String) throws -> [String] {
    let lines = try analyze("syscall-filter", "--no-pager", name).text.split(separator: "\n")
      .dropFirst().map { $0.trimmingCharacters(in: .whitespaces) }
    return try lines.flatMap { line -> [String] in
      if line.hasPrefix("@") { return try group(line) }
      return line.isEmpty || line.hasPrefix("#") ? [] : [line]
    }
  }
}
