import Foundation
import TestSupport
import Testing

/// The daemon killed, stopped, hung, and out of room; nothing may be lost, and nothing come twice.
struct CrashTests {
  private static let killCount = 4

  @Test func `everything arrives once though the listening daemon is killed all the time`() throws {
    let installation = try Installation()
    let commits = try PipelineHistory.make(
      4 * Self.killCount + 4, in: installation.source, seed: 11, changeCounts: 20...120)
    var random = PipelineHistory.SplitMix(seed: 12)
    var daemon = try installation.startDaemon()
    #expect(try installation.send("--ref", "main", "--to", commits[0].hex).status == 0)
    var next = 1
    for _ in 0..<Self.killCount {
      for _ in 0..<4 {
        let result = try installation.send(
          "--ref", "main", "--to", commits[next].hex, "--wait", "0")
        #expect(result.status == 0, "\(result.errors)")
        next += 1
      }
      let flush = try installation.startSend("--flush")
      // Somewhere in the work of these four messages, or just behind it.
      usleep(UInt32.random(in: 20_000..<200_000, using: &random))
      #expect(daemon.end(SIGKILL).status == -SIGKILL)
      daemon = try installation.startDaemon()
      try #require(flush.wait() == 0, "\(flush.log) \(daemon.log)")
    }
    #expect(try installation.send("--flush").status == 0)
    #expect(try installation.checkout.id() == commits[next - 1])
    #expect(try installation.checkout.status() == "")
    #expect(try installation.checkout.fsck() == "")
    #expect(daemon.end().status == 0)
    // No step moved the branch twice. An entry is written just before its move: a kill in between doubles it.
    let moves = try installation.checkout.git("reflog", "--format=%H", "main")
      .split(separator: "\n")
    let distinct = zip(moves, moves.dropFirst()).filter { $0 != $1 }.map(\.0) + moves.suffix(1)
    #expect(Set(distinct).count == distinct.count)
    let left = try FileManager.default.contentsOfDirectory(
      atPath: installation.folder.path("var/web1/spool"))
    #expect(left == [])
  }

  /// A short run of `make crash-test`: signer, relay and appliers are killed, and their connections cut.
  @Test func `nothing is lost twice torn or locked whoever is killed`() throws {
    let folder = try PipelineFolder()
    let result = try PipelineProgram(Installation.executable + "-crash", in: folder)
      .run(["--count", "25", "--seed", "1", "--appliers", "2", "--no-full-disks"])
    #expect(result.status == 0, "\(result.text)\n\(result.errors)")
  }

  @Test func `stops within five seconds at work`() throws {
    let installation = try Installation()
    let bytes = PatchCases.randomBytes(24 << 20, seed: 3)
    for number in 0..<4 {
      try Data(bytes.dropFirst(number)).write(
        to: URL(fileURLWithPath: installation.source.path + "/large-\(number)"))
    }
    try installation.source.commit(["a": "1\n"])
    let daemon = try installation.startDaemon()
    let send = try installation.startSend("--ref", "main", "--wait", "600")
    // Deposits come in; the message is in hand, or about to be.
    while try FileManager.default.contentsOfDirectory(
      atPath: installation.folder.path("var/web1/spool")
    ).isEmpty && send.process.isRunning { usleep(1_000) }
    daemon.expectEnd()
    let again = try installation.startDaemon()
    #expect(send.wait() == 0, "\(send.log)")
    try installation.expectEqual()
    #expect(again.end(SIGINT).status == 0)
  }

  /// A pipe in place of a file that must be read makes whoever opens it wait for ever.
  @Test func `message over its deadline is tried once more then set aside`() throws {
    let installation = try Installation()
    try installation.source.commit(["a": "1\n"])
    var daemon = try installation.startDaemon()
    #expect(try installation.sendMain().status == 0)
    #expect(daemon.end().status == 0)
    let shallow = installation.checkout.path + "/.git/shallow"
    if FileManager.default.fileExists(atPath: shallow) {
      try FileManager.default.removeItem(atPath: shallow)
    }
    #expect(unsafe mkfifo(shallow, 0o600) == 0)
    try installation.source.commit(["a": "2\n"])
    // So short only for what would never end.
    installation.options.applier = "deadline-seconds: 1"
    try installation.writeApplier()
    daemon = try installation.startDaemon()
    let send = try installation.startSend("--ref", "main")
    for _ in 0..<2 {
      try daemon.line(with: "event=deadline-exceeded")
      #expect(daemon.wait() == 70)
      daemon = try installation.startDaemon()
    }
    #expect(send.wait() == 2, "\(send.log)")
    try daemon.line(with: "reason=unprocessable")
    #expect(daemon.end().status == 0)
    installation.options.applier = ""
    try installation.writeApplier()
    daemon = try installation.startDaemon()
    #expect(unsafe unlink(shallow) == 0)
    #expect(try installation.sendMain().status == 0)
    try installation.expectEqual()
    #expect(daemon.end().status == 0)
  }

  @Test func `port in use is an error with a hint`() throws {
    let installation = try Installation()
    let daemon = try installation.startDaemon()
    let text = try String(contentsOfFile: installation.folder.path("web1.yaml"), encoding: .utf8)
    try installation.folder.write("other.yaml", text.replacing("var/web1", with: "var/other"))
    let second = try installation.run("verify-apply", "--config", "other.yaml")
    expectFailure(second, "distro: error:", "distro: hint: stop the program that listens there")
    #expect(daemon.end().status == 0)
  }

  // MARK: - Full disks

  /// As root a disk of a few megabytes can be made; nobody else can.
  private static let canMount = getuid() == 0

  private func withSmallDisk(
    megabytes: Int,
    _ body: (_ path: String, _ fill: () throws -> Void, _ free: () throws -> Void) throws -> Void
  ) throws {
    let folder = try PipelineFolder()
    let path = folder.path("disk")
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    let shell = PipelineProgram("/bin/sh", in: folder)
    func run(_ script: String) throws {
      let result = try shell.run(
        ["-c", script], environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"])
      guard result.status == 0 else { throw ProgramFailure(arguments: [script], result: result) }
    }
    try run("mount -t tmpfs -o size=\(megabytes)m tmpfs '\(path)'")
    do {
      try body(path, { try run("cat /dev/zero > '\(path)/filler' 2>/dev/null || true") }) {
        try FileManager.default.removeItem(atPath: path + "/filler")
      }
    } catch {
      try run("umount -l '\(path)'")
      throw error
    }
    try run("umount -l '\(path)'")
  }

  @Test(.enabled(if: canMount, "only root can mount a small disk"))
  func `full disk under the state loses nothing`() throws {
    try withSmallDisk(megabytes: 12) { path, fill, free in
      let installation = try Installation(.init(state: path + "/state"))
      try installation.source.commit(["a": "1\n"])
      let daemon = try installation.startDaemon()
      #expect(try installation.sendMain().status == 0)
      try fill()
      try Data(PatchCases.randomBytes(2 << 20, seed: 4)).write(
        to: URL(fileURLWithPath: installation.source.path + "/large"))
      try installation.source.commit(["a": "2\n"])
      let result = try installation.sendMain()
      expectFailure(result, "refused to store", "nothing is lost")
      #expect(daemon.process.isRunning)
      try free()
      #expect(try installation.send("--flush").status == 0)
      try installation.expectEqual()
      #expect(daemon.end().status == 0)
    }
  }

  @Test(.enabled(if: canMount, "only root can mount a small disk"))
  func `full disk under the checkout loses nothing`() throws {
    try withSmallDisk(megabytes: 12) { path, fill, free in
      let installation = try Installation(.init(live: path + "/live"))
      try installation.source.commit(["a": "1\n"])
      let daemon = try installation.startDaemon()
      #expect(try installation.sendMain().status == 0)
      let before = try PipelineWorkingCopy(installation.checkout.path)
      try fill()
      try Data(PatchCases.randomBytes(2 << 20, seed: 4)).write(
        to: URL(fileURLWithPath: installation.source.path + "/large"))
      try installation.source.commit(["a": "2\n"])
      let send = try installation.startSend("--ref", "main")
      try daemon.line(with: "event=checkout-blocked")
      #expect(
        try PipelineWorkingCopy(installation.checkout.path).difference(from: before)
          .filter { !$0.hasPrefix("./.git/objects") } == [])
      try free()
      #expect(send.wait() == 0, "\(send.log)")
      try installation.expectEqual()
      #expect(daemon.end().status == 0)
    }
  }
}
