import Foundation
import TestSupport
import Testing

/// `distro serve` and the daemons as a service manager sees them: started, told, reloaded, stopped.
struct ServeTests {
  private let installation: Installation
  private let manager: NotifyReceiver
  private var folder: PipelineFolder { installation.folder }

  init() throws {
    installation = try Installation()
    manager = try NotifyReceiver(at: installation.folder.path("notify"))
    try installation.folder.write("serve.yaml", "applier: web1.yaml\n")
    try installation.source.commit(["a": "1\n"])
  }

  /// Answers when it listens; its port is the same from then on.
  private func start(_ environment: [String: String] = [:]) throws -> RunningProgram {
    let notify = ["NOTIFY_SOCKET": folder.path("notify")]
    let program = try RunningProgram(
      installation.program, ["serve", "--config", "serve.yaml"],
      environment: notify.merging(environment) { $1 })
    try installation.adoptEndpoint(of: program)
    try manager.next(with: "READY=1")
    return program
  }

  /// What systemd is told from the signal to the end of the reload.
  private func reload(_ program: RunningProgram) throws -> [String] {
    kill(program.pid, SIGHUP)
    let begin = try manager.next(with: "RELOADING=1")
    let time = try #require(begin.first { $0.hasPrefix("MONOTONIC_USEC=") })
    #expect(UInt64(time.dropFirst("MONOTONIC_USEC=".count)) ?? 0 > 0)
    return try manager.next(with: "READY=1")
  }

  @Test func `says when it is ready and when it stops`() throws {
    let program = try RunningProgram(
      installation.program, ["serve", "--config", "serve.yaml"],
      environment: ["NOTIFY_SOCKET": folder.path("notify")])
    #expect(try manager.next() == ["READY=1", "STATUS=running: applier"])
    // Ready means that it can be reached.
    let ready = try program.line(with: "event=ready")
    let lines = program.log.components(separatedBy: "\n")
    let listening = try #require(lines.firstIndex { $0.contains("event=listening") })
    #expect(try listening < #require(lines.firstIndex(of: ready)))
    program.expectEnd()
    #expect(try manager.next().first == "STOPPING=1")
    try program.line(with: "event=stopped")
  }

  @Test func `works without a service manager`() throws {
    let program = try RunningProgram(installation.program, ["serve", "--config", "serve.yaml"])
    try installation.adoptEndpoint(of: program)
    #expect(try installation.sendMain().status == 0)
    try installation.expectEqual()
    #expect(program.end(SIGINT).status == 0)
  }

  @Test func `keeps the watchdog from biting`() throws {
    let program = try start(["WATCHDOG_USEC": "100000"])
    for _ in 0..<3 { #expect(try manager.next() == ["WATCHDOG=1"]) }
    #expect(program.end().status == 0)
    // Meant for another process.
    let other = try start(["WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"])
    _ = try reload(other)
    #expect(other.end().status == 0)
    #expect(try manager.next().first == "STOPPING=1")
  }

  @Test func `hang up takes the new configuration`() throws {
    let program = try start()
    #expect(try installation.sendMain().status == 0)
    let moved = folder.path("moved")
    try FileManager.default.moveItem(atPath: installation.checkout.path, toPath: moved)
    try folder.edit("web1.yaml", "path: live", "path: moved")
    #expect(try reload(program) == ["READY=1", "STATUS=running: applier"])
    try program.line(with: "event=reloaded role=applier")
    try installation.source.commit(["a": "2\n"])
    #expect(try installation.sendMain().status == 0)
    let checkout = PipelineRepository(at: moved, in: folder)
    #expect(try checkout.id() == installation.source.id())
    #expect(program.end().status == 0)
  }

  @Test func `hang up changes who is trusted`() throws {
    try installation.succeed("keygen", "other")
    let program = try start()
    try folder.edit("web1.yaml", "[keys/signer.pub]", "[keys/other.pub]")
    _ = try reload(program)
    expectFailure(try installation.sendMain(), "not on its list")
    try folder.edit("web1.yaml", "[keys/other.pub]", "[keys/other.pub, keys/signer.pub]")
    _ = try reload(program)
    let flushed = try installation.send("--flush")
    #expect(flushed.status == 0, "\(flushed.errors)")
    try installation.expectEqual()
    #expect(program.end().status == 0)
  }

  @Test func `invalid configuration is reported and the old one stays`() throws {
    let program = try start()
    try folder.edit("web1.yaml", "branch: main", "brunch: main")
    let status = try #require(try reload(program).last)
    #expect(status == "STATUS=running: applier; not reloaded: applier")
    let line = try program.line(with: "event=reload-failed")
    #expect(line.contains("unknown key") && line.contains("did you mean"))
    #expect(try installation.sendMain().status == 0)
    try installation.expectEqual()
    #expect(program.end().status == 0)
  }

  @Test func `configuration that cannot be started gives way to the old one`() throws {
    let other = try Installation()
    let occupant = try other.startDaemon()
    let program = try start()
    let ours = installation.endpoint
    try folder.edit("web1.yaml", ours, other.endpoint)
    #expect(try reload(program).last == "STATUS=running: applier; not reloaded: applier")
    #expect(try program.line(with: "event=reload-failed").contains("is in use"))
    let result = try installation.sendMain()
    #expect(result.status == 0, "\(result.text) \(result.errors) \(program.log)")
    try installation.expectEqual()
    #expect(program.end().status == 0)
    #expect(occupant.end().status == 0)
  }

  // MARK: - Several roles

  private func startBoth() throws -> RunningProgram {
    try installation.writeRelay()
    try folder.write("serve.yaml", "applier: web1.yaml\nrelay: relay.yaml\n")
    let program = try RunningProgram(
      installation.program, ["serve", "--config", "serve.yaml"],
      environment: ["NOTIFY_SOCKET": folder.path("notify")])
    #expect(try manager.next() == ["READY=1", "STATUS=running: relay, applier"])
    return program
  }

  @Test func `roles start in order and stop in the other`() throws {
    let program = try startBoth()
    try program.line(with: "event=ready")
    let started = program.log.components(separatedBy: "\n").filter {
      $0.contains("event=listening")
    }
    #expect(started.count == 2 && started[0].contains("signers="), "\(started)")
    program.expectEnd()
    try program.line(with: "event=stopped")
    let ended = program.log.components(separatedBy: "\n").filter { $0.contains("event=role-ended") }
    #expect(ended.map { $0.suffix(7) } == ["applier", "e=relay"], "\(program.log)")
  }

  @Test func `relay takes its new rules without another door`() throws {
    let program = try startBoth()
    try installation.succeed("keygen", "web2")
    try FileManager.default.moveItem(
      atPath: folder.path("keys/web2.pub"), toPath: folder.path("keys/appliers/web2.pub"))
    try folder.edit("relay.yaml", "trusted-signers: keys/signers", "trusted-signers: keys/appliers")
    _ = try reload(program)
    try program.line(with: "event=reloaded role=relay")
    try program.line(with: "appliers=2 signers=2")
    #expect(program.log.components(separatedBy: " signers=tcp://").count == 2)
    // Another door needs another relay, which the same process starts.
    try folder.edit("relay.yaml", "state: var/relay", "state: var/other")
    _ = try reload(program)
    #expect(program.end().status == 0)
    try program.line(with: "event=stopped")
    #expect(program.log.components(separatedBy: " signers=tcp://").count == 3)
    #expect(FileManager.default.fileExists(atPath: folder.path("var/other/state.sqlite")))
  }

  @Test func `hang up reads which roles there are`() throws {
    try installation.writeRelay()
    let program = try start()
    try folder.write("serve.yaml", "applier: web1.yaml\nrelay: relay.yaml\n")
    #expect(try reload(program) == ["READY=1", "STATUS=running: relay, applier"])
    try program.line(with: "appliers=tcp://")
    try folder.write("serve.yaml", "relay: relay.yaml\n")
    #expect(try reload(program) == ["READY=1", "STATUS=running: relay"])
    try program.line(with: "event=role-removed role=applier")
    // Its port and its state are free.
    let applier = try installation.startDaemon()
    #expect(try installation.sendMain().status == 0)
    #expect(applier.end().status == 0)
    try folder.write("serve.yaml", "relai: relay.yaml\n")
    #expect(try reload(program).last == "STATUS=running: relay; not reloaded: relay")
    #expect(try program.line(with: "event=reload-failed").contains("did you mean 'relay'?"))
    #expect(program.end().status == 0)
  }

  @Test func `relay logs as its new configuration says`() throws {
    let program = try startBoth()
    try folder.edit("relay.yaml", "state: var/relay", "state: var/relay\nlog: {format: json}")
    _ = try reload(program)
    try program.line(with: #""event":"listening""#)
    #expect(program.end().status == 0)
  }

  @Test func `relay runs alone as well`() throws {
    try installation.writeRelay()
    let program = try RunningProgram(
      installation.program, ["relay", "--config", "relay.yaml"],
      environment: ["NOTIFY_SOCKET": folder.path("notify")])
    #expect(try manager.next() == ["READY=1", "STATUS=running: relay"])
    _ = try reload(program)
    program.expectEnd()
  }

  @Test func `one role that cannot start ends the process`() throws {
    let program = try start()
    let second = try installation.program.run(["serve", "--config", "serve.yaml"])
    expectFailure(second, "another process works on it")
    #expect(program.end().status == 0)
  }

  @Test func `refuses what is no serve configuration`() throws {
    func serve() throws -> ProgramResult { try installation.run("serve", "--config", "serve.yaml") }
    try folder.write("serve.yaml", "log: {level: info}\n")
    expectFailure(
      try serve(), status: 78,
      "at least one of these expected: 'relay', 'signer', 'hooks', 'applier'")
    try folder.write("serve.yaml", "aplier: web1.yaml\n")
    expectFailure(try serve(), status: 78, "unknown key 'aplier'", "did you mean 'applier'?")
    try folder.write("serve.yaml", "applier: none.yaml\n")
    expectFailure(try serve(), status: 78, "none.yaml", "there is no such file")
  }

  @Test func `once ends with two where a message is refused`() throws {
    let program = try start()
    #expect(try installation.sendMain().status == 0)
    let holder = try installation.holdCheckout()
    try installation.source.commit(["a": "2\n"])
    #expect(try installation.sendMain(until: "stored, no receipt").status == 1)
    #expect(program.end().status == 0)
    #expect(holder.end(SIGKILL).status == -SIGKILL)
    try installation.checkout.write("a", "mine\n")
    let once = try installation.run("verify-apply", "--config", "web1.yaml", "--once", "--json")
    #expect(once.status == 2, "\(once.errors)")
    let rows = try JSONDecoder().decode([[String: String]].self, from: Data(once.output))
    #expect(rows.count == 1 && rows.first?["outcome"] == "refused", "\(rows)")
    #expect(rows.first?["refusal"] == "local-changes")
    #expect(
      try installation.run("verify-apply", "--config", "web1.yaml", "--json").status == 64)
  }

  @Test func `refuses a service manager that cannot be told`() throws {
    let result = try installation.program.run(
      ["serve", "--config", "serve.yaml"], environment: ["NOTIFY_SOCKET": "nowhere"])
    expectFailure(result, "NOTIFY_SOCKET=nowhere")
  }
}
