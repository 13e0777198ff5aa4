import Foundation
import TestSupport
import Testing

/// A role that cannot get on, since another program has the database of its state: SQLite waits a minute for it.
struct HangTests {
  /// So often the service manager is told; three times twice that is the limit.
  private static let microseconds: UInt32 = 100_000

  private let installation: Installation
  private var folder: PipelineFolder { installation.folder }
  private var environment: [String: String] {
    ["NOTIFY_SOCKET": folder.path("notify"), "WATCHDOG_USEC": "\(2 * Self.microseconds)"]
  }

  init() throws {
    installation = try Installation()
    try installation.source.commit(["a": "1\n"])
  }

  private func hold(_ name: String) throws -> DatabaseHolder {
    try DatabaseHolder(folder.path("var/\(name)/state.sqlite"))
  }

  @Test func `program that cannot get on stops in time`() throws {
    let daemon = try RunningProgram(
      installation.program, ["verify-apply", "--config", "web1.yaml"],
      environment: ["WATCHDOG_USEC": "\(2 * Self.microseconds)"])
    try installation.adoptEndpoint(of: daemon)
    let holder = try hold("web1")
    let send = try installation.startSend("--ref", "main")
    try daemon.line(with: "event=role-hangs")
    daemon.expectEnd()
    try daemon.line(with: "event=note-failed")
    try holder.release()
    let next = try installation.startDaemon()
    #expect(send.wait() == 0, "\(send.log)")
    try installation.expectEqual()
    #expect(next.end().status == 0)
  }

  /// It waits for its state while it starts, as behind another program's long first start.
  @Test func `program that cannot start stops in time`() throws {
    let state = folder.path("var/web1")
    try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
    let holder = try RunningProgram(
      PipelineProgram("/usr/bin/flock", in: folder),
      ["-F", state, "sh", "-c", "echo held >&2; exec sleep 600"])
    try holder.line(with: "held")
    let daemon = try installation.startApplier()
    #expect(try becomesTrue { try catchesTermination(daemon.pid) })
    daemon.expectEnd()
    try daemon.line(with: "event=work-interrupted")
    #expect(holder.end(SIGKILL).status == -SIGKILL)
  }

  private func catchesTermination(_ pid: Int32) throws -> Bool {
    let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
    let digits = try #require(status.firstMatch(of: /SigCgt:\s+([0-9a-f]+)/)).output.1
    return try #require(UInt64(digits, radix: 16)) & 1 << UInt64(SIGTERM - 1) != 0
  }

  /// A listener's loop, and that of one who connects.
  @Test(arguments: ["relay", "web1"])
  func `loop that hangs is no life`(who: String) throws {
    let manager = try NotifyReceiver(at: folder.path("notify"))
    try installation.writeRelay()
    let isRelay = who == "relay"
    let relay = try installation.startRelay(isRelay ? environment : [:])
    let applier = try installation.startApplier(isRelay ? [:] : environment)
    let watched = isRelay ? relay : applier
    try applier.line(with: "event=carrier-connected")
    try manager.next(with: "WATCHDOG=1")
    let holder = try hold(who)
    let send = try installation.startSend("--ref", "main")
    let line = try watched.line(with: "event=role-hangs")
    #expect(line.contains(" error ") && line.contains(isRelay ? "role=relay" : "role=applier"))
    _ = manager.takeAll()
    // Long enough to be told several times.
    usleep(5 * Self.microseconds)
    #expect(manager.takeAll() == [])
    try holder.release()
    try watched.line(with: "event=role-recovered")
    try manager.next(with: "WATCHDOG=1")
    #expect(send.wait() == 0, "\(send.log)")
    try installation.expectEqual()
    #expect(watched.log.components(separatedBy: "event=role-hangs").count == 2, "\(watched.log)")
    #expect(applier.end().status == 0)
    #expect(relay.end().status == 0)
  }
}
