import Foundation
import TestSupport
import Testing

/// `distro status` and `distro doctor` only look: they work where nothing can be written, and leave everything as it was.
struct ReadOnlyStatusTests {
  private static let roles = ["signer", "web1", "relay"]

  private let installation: Installation
  private var folder: PipelineFolder { installation.folder }

  /// Every role has a state when it returns; nothing runs.
  init() throws {
    installation = try Installation()
    try installation.source.commit(["a": "1\n"])
    try installation.writeRelay()
    #expect(try installation.sendMain(wait: 0).status == 0)
    let once = try installation.run("verify-apply", "--config", "web1.yaml", "--once")
    #expect(once.status == 0, "\(once.errors)")
    let relay = try RunningProgram(installation.program, ["relay", "--config", "relay.yaml"])
    try relay.line(with: "event=ready")
    #expect(relay.end().status == 0)
  }

  private func files() throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: folder.path("var")).sorted().map { name in
      let attributes = try FileManager.default.attributesOfItem(
        atPath: folder.path("var/\(name)"))
      let time = (attributes[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
      return "\(name) \(attributes[.size] ?? 0) \(time)"
    }
  }

  private func look(_ name: String) throws -> String {
    let result = try installation.run("status", "--config", "\(name).yaml")
    // The signer has a message that waits.
    #expect(result.status == (name == "signer" ? 2 : 0), "\(name): \(result.errors)")
    #expect(result.errors == "")
    return result.text
  }

  @Test func `looking changes and makes nothing`() throws {
    let before = try files()
    for name in Self.roles {
      _ = try look(name)
      _ = try Examination(installation, "\(name).yaml")
    }
    #expect(try files() == before)
  }

  @Test func `looking sees what a daemon that was killed left in its log`() throws {
    let daemon = try RunningProgram(
      installation.program, ["verify-apply", "--config", "web1.yaml"])
    let line = try daemon.line(with: "event=listening")
    let word = try #require(line.split(separator: " ").first { $0.hasPrefix("endpoint=") })
    try installation.writeSigner(connect: String(word.dropFirst("endpoint=".count)))
    #expect(try installation.sendMain().status == 0)
    let running = try look("web1")
    _ = daemon.end(SIGKILL)
    let before = try files()
    let revision = try installation.source.id().abbreviated
    #expect(running.contains(revision))
    #expect(try look("web1") == running)
    #expect(try files() == before)
  }

  @Test(.enabled(if: SmallDisk.isAllowed, "nothing can be mounted here"), arguments: roles)
  func `looking works on a full disk and on a read-only file system`(name: String) throws {
    let place = folder.path("var/\(name)")
    let expected = try look(name)
    try FileManager.default.moveItem(atPath: place, toPath: place + ".kept")
    try SmallDisk.mount(on: place, byteCount: 4 << 20, home: folder.path) {
      try Program.run(["cp", "-a", place + ".kept/.", place], home: folder.path)
      // No byte is left.
      let status = try Program.status(
        ["dd", "if=/dev/zero", "of=\(place)/fill", "bs=4k"], home: folder.path)
      #expect(status.status != 0)
      #expect(try look(name) == expected)
      try Program.run(["mount", "-o", "remount,ro", place], home: folder.path)
      #expect(try look(name) == expected)
    }
  }

  @Test(.enabled(if: geteuid() == 0, "only root can be somebody else"))
  func `what may not be read is unknown, never stale`() throws {
    try Program.run(["chown", "-R", "daemon", folder.path("var/web1")], home: folder.path)
    let nobody = PipelineProgram("/usr/bin/setpriv", in: folder)
    try Program.run(["chmod", "a+rX", folder.path], home: folder.path)
    try Program.run(["chmod", "-R", "a+rX", folder.path("keys")], home: folder.path)
    try Program.run(["chown", "-R", "nobody", folder.path("keys")], home: folder.path)
    try Program.run(["chmod", "600", folder.path("keys/web1.key")], home: folder.path)
    let result = try nobody.run(
      [
        "--reuid", "nobody", "--clear-groups", Installation.executable, "status", "--config",
        "web1.yaml",
      ])
    expectFailure(result, "Permission denied", "as the user of the service")
    #expect(result.text == "applier: unknown: not readable by you")
  }

  @Test(.enabled(if: geteuid() == 0, "only root can work for another"))
  func `root leaves no files in the state of another user`() throws {
    try Program.run(["chown", "-R", "daemon", folder.path("var/signer")], home: folder.path)
    let before = try files()
    expectFailure(try installation.sendMain(wait: 0), "and we are root", "sudo -u '#")
    #expect(try files() == before)
  }
}
