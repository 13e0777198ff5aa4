import Foundation
import TestSupport
import Testing

/// Which users may knock at the signer's socket, and what becomes of those that find no daemon, or one that hangs.
struct SignerSocketUserTests {
  private static let isRoot = geteuid() == 0

  private let installation: Installation
  private var folder: PipelineFolder { installation.folder }
  private var path: String { folder.path("signer.sock") }

  init() throws {
    installation = try Installation()
    try installation.use(.daemon)
    try installation.source.commit(["a": "1\n"])
  }

  private func asUser(
    _ user: String, groups: String, _ arguments: [String]
  ) -> [String] {
    [
      "--reuid", user, "--regid", user == "nobody" ? "nogroup" : user, "--groups", groups,
      Installation.executable,
    ] + arguments
  }

  private var setpriv: PipelineProgram { PipelineProgram("/usr/bin/setpriv", in: folder) }

  /// The daemon runs as `daemon`, whom alone keys, configuration and state belong to.
  private func startAsDaemon(_ socket: String) throws -> RunningProgram {
    try folder.edit("signer.yaml", "socket: signer.sock", socket)
    for name in ["keys", "serve.yaml", "signer.yaml", "var"] {
      let whole = folder.path(name)
      if name == "var" { try Program.run(["mkdir", "-p", whole], home: folder.path) }
      try Program.run(["chown", "-R", "daemon", whole], home: folder.path)
      try Program.run(["chmod", "-R", "go-rwx", whole], home: folder.path)
    }
    try Program.run(["mkdir", folder.path("run")], home: folder.path)
    try Program.run(["chown", "daemon", folder.path("run")], home: folder.path)
    try Program.run(["chmod", "a+rX", folder.path], home: folder.path)
    try folder.write(".gitconfig", "[safe]\n\tdirectory = *\n")
    let daemon = try RunningProgram(
      setpriv, asUser("daemon", groups: "daemon,games", ["serve", "--config", "serve.yaml"]))
    try daemon.line(with: "event=ready")
    return daemon
  }

  private func send(groups: String, _ more: String...) throws -> ProgramResult {
    try setpriv.run(
      asUser(
        "nobody", groups: groups,
        ["sign-and-send", "--socket", "run/signer.sock", "--ref", "main"] + more))
  }

  @Test(.enabled(if: isRoot, "only root can be somebody else"))
  func `a user in the group sends without key and configuration, and others are refused`() throws {
    let applier = try installation.startDaemon()
    let daemon = try startAsDaemon("socket: {path: run/signer.sock, group: games, mode: 0660}")
    let rights = try FileManager.default.attributesOfItem(atPath: folder.path("run/signer.sock"))
    #expect(rights[.groupOwnerAccountName] as? String == "games")
    #expect(rights[.posixPermissions] as? Int == 0o660)
    let refused = try send(groups: "nogroup")
    expectFailure(refused, "run/signer.sock: permission denied", "its group may", "usermod -aG")
    let sent = try send(groups: "games")
    #expect(sent.status == 0 && sent.text.contains(" applied "), "\(sent.errors) \(daemon.log)")
    try installation.expectEqual()
    let json = try send(groups: "games", "--json")
    #expect(json.status == 0 && json.text.contains("\"state\" : \"applied\""), "\(json.text)")
    let config = try setpriv.run(
      asUser("nobody", groups: "games", ["sign-and-send", "--config", "signer.yaml", "--flush"]))
    expectFailure(config, status: 78, "signer.yaml")
    // What a knocker is told holds nothing of the signer's.
    for text in [sent.text, sent.errors, json.text, json.errors] {
      #expect(!text.contains("keys/") && !text.contains("DISTRO-SECRET"))
    }
    daemon.expectEnd()
    #expect(applier.end().status == 0)
  }

  @Test(.enabled(if: isRoot, "only root can work for another"))
  func `root sends through the daemon, and leaves no file of its own`() throws {
    let applier = try installation.startDaemon()
    let daemon = try startAsDaemon("socket: run/signer.sock")
    let result = try installation.program.run(
      ["sign-and-send", "--config", "signer.yaml", "--ref", "main", "--wait", "120"])
    #expect(result.status == 0, "\(result.errors)")
    let owners = try FileManager.default.subpathsOfDirectory(atPath: folder.path("var/signer"))
      .map { name in
        try FileManager.default.attributesOfItem(atPath: folder.path("var/signer/\(name)"))[
          .ownerAccountName] as? String
      }
    #expect(!owners.isEmpty && owners.allSatisfy { $0 == "daemon" }, "\(owners)")
    daemon.expectEnd()
    #expect(applier.end().status == 0)
  }

  /// The first run of all, before the daemon's.
  @Test(.enabled(if: isRoot, "only root can work for another"))
  func `root begins no state in a private directory of another user`() throws {
    try Program.run(["mkdir", "-p", folder.path("var")], home: folder.path)
    try Program.run(["chown", "daemon", folder.path("var")], home: folder.path)
    try Program.run(["chmod", "700", folder.path("var")], home: folder.path)
    let result = try installation.program.run(
      ["sign-and-send", "--config", "signer.yaml", "--ref", "main", "--wait", "0"])
    expectFailure(result, "and we are root", "sudo -u '#")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("var")).isEmpty)
  }

  private func expectWaiting() throws {
    try #require(
      try becomesTrue {
        try installation.run("status", "--config", "signer.yaml").text
          .contains("waits in the outbox")
      })
  }

  // MARK: - No daemon, or one that hangs

  @Test func `without a daemon and a configuration it says what to do`() throws {
    let result = try installation.program.run(
      ["sign-and-send", "--socket", "signer.sock", "--ref", "main"])
    expectFailure(result, "no daemon listens there", "distro serve", "--config FILE")
    let named = try installation.program.run(
      ["sign-and-send", "--ref", "main"],
      environment: ["DISTRO_SOCKET": folder.path("named.sock")])
    expectFailure(named, "named.sock: no daemon listens there")
  }

  @Test func `with a configuration and no daemon it sends by itself`() throws {
    let applier = try installation.startDaemon()
    let result = try installation.program.run(
      ["sign-and-send", "--config", "signer.yaml", "--ref", "main", "--wait", "120"])
    #expect(result.status == 0, "\(result.errors)")
    try installation.expectEqual()
    #expect(applier.end().status == 0)
  }

  /// Never in its own process instead, whatever rights it has.
  @Test func `a daemon that hangs is named, with what to do`() throws {
    let signer = try installation.startSigner()
    kill(signer.pid, SIGSTOP)
    let result = try installation.program.run(
      ["sign-and-send", "--config", "signer.yaml", "--ref", "main", "--wait", "600"])
    expectFailure(result, "the daemon does not answer", "distro: hint:", "restart `distro serve`")
    kill(signer.pid, SIGCONT)
    signer.expectEnd()
  }

  @Test func `a daemon that is started again meanwhile ends what it was asked for`() throws {
    // Nothing is there to apply it: the request waits.
    let signer = try installation.startSigner()
    let send = try installation.startSend("--ref", "main")
    try expectWaiting()
    #expect(signer.end(SIGKILL).status == -SIGKILL)
    let again = try installation.startSigner()
    let applier = try installation.startDaemon()
    kill(again.pid, SIGHUP)
    #expect(send.wait() == 0, "\(send.log)")
    try installation.expectEqual()
    again.expectEnd()
    #expect(applier.end().status == 0)
  }

  @Test func `a daemon that ended and does not come back is named`() throws {
    let signer = try installation.startSigner()
    let send = try installation.startSend("--ref", "main")
    try expectWaiting()
    signer.expectEnd()
    #expect(send.wait() == 1)
    #expect(send.log.contains("the daemon ended before it was done"), "\(send.log)")
    #expect(send.log.contains("distro: hint:"))
  }
}
