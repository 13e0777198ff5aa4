import Foundation
import TestSupport

/// A signer, a relay, appliers and a source repository on this machine, below a directory of their own.
final class World {
  static let remote = "git@example.org:acme/crash.git"

  let path: String
  let relay: Daemon
  let signer: Daemon
  let appliers: [Applier]
  let lines: [CuttableLine]
  /// Disks that can be filled; none where this user may not mount anything.
  private(set) var disks: [Disk] = []
  let source: Repository
  /// Where commits are made, before they are pushed.
  let author: Repository

  /// Far more than a long run leaves there, a GiB or so of packs; what is not used costs nothing.
  private static let diskByteCount = 8 << 30

  init(_ options: Crash.Options, canMount: Bool) throws {
    path = NSTemporaryDirectory() + "distro-crash-\(UUID().uuidString.prefix(8))"
    let executable = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
      .deletingLastPathComponent().appendingPathComponent("distro").path
    guard FileManager.default.isExecutableFile(atPath: executable) else {
      throw Failure("\(executable) is not built")
    }
    let names = (1...options.applierCount).map { "web\($0)" }
    let tools = Tools(executable: executable, home: path)
    for directory in ["keys/signers", "keys/appliers", "log", "relay", "signer"] + names {
      try FileManager.default.createDirectory(
        atPath: path + "/" + directory, withIntermediateDirectories: true)
    }
    source = Repository(path: path + "/source.git", home: path)
    author = Repository(path: path + "/author.git", home: path)
    relay = Daemon("relay", ["relay", "--config", "relay.yaml"], tools)
    signer = Daemon("signer", ["serve", "--config", "serve.yaml"], tools)
    appliers = names.map { Applier($0, tools) }
    let ports = try (signers: FreePort.take(), appliers: FreePort.take())
    lines =
      try [CuttableLine(to: ports.signers)]
      + names.map { _ in try CuttableLine(to: ports.appliers) }
    if canMount { mountDisks() }
    try makeKeys(tools, names)
    try makeRepositories(executable)
    try configure(signers: ports.signers, appliers: ports.appliers)
  }

  /// In the order in which they are started.
  var daemons: [Daemon] { [relay, signer] + appliers.map(\.daemon) }

  /// The relay's, the signer's and the first applier's; a checkout lies on the disk of its applier.
  private func mountDisks() {
    disks = ["relay", "signer", appliers[0].daemon.name].compactMap { name in
      do {
        return try Disk(at: path + "/" + name, byteCount: Self.diskByteCount)
      } catch {
        say("no disk is filled at \(name): \(error)")
        return nil
      }
    }
  }

  private func makeKeys(_ tools: Tools, _ names: [String]) throws {
    func make(_ name: String, _ directory: String) throws {
      try tools.run(["keygen", name, "--directory", directory])
    }
    try make("relay", "keys")
    try make("signer", "keys/signers")
    for name in names { try make(name, "keys/appliers") }
  }

  /// What is pushed is put into the outbox by the hook; the daemon hands it over.
  private func makeRepositories(_ executable: String) throws {
    for repository in [source, author] { try repository.make() }
    let hook = source.path + "/hooks/post-receive"
    let script = """
      #!/bin/sh
      echo $$ > '\(hookPIDFile)'
      exec '\(executable)' sign-and-send --config '\(path)/signer.yaml' --wait 0 >>'\(path)/log/hook' 2>&1

      """
    try Data(script.utf8).write(to: URL(fileURLWithPath: hook))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: hook)
  }

  /// Where the hook writes the id of its process.
  var hookPIDFile: String { path + "/hook.pid" }

  /// Of a `sign-and-send` that runs now.
  var senderID: pid_t? {
    guard let bytes = FileManager.default.contents(atPath: hookPIDFile),
      let id = pid_t(String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .newlines))
    else { return nil }
    // Before that it is a shell; after it, anyone's.
    let program = URL(fileURLWithPath: "/proc/\(id)/exe").resolvingSymlinksInPath()
    return program.lastPathComponent == "distro" ? id : nil
  }

  var relayState: State { State(directory: path + "/relay/state") }
  var signerState: State { State(directory: path + "/signer/state") }

  private func configure(signers: UInt16, appliers ports: UInt16) throws {
    try write(
      "relay.yaml",
      """
      identity: keys/relay.key
      state: relay/state
      relay:
        signers: tcp://127.0.0.1:\(signers)
        appliers: tcp://127.0.0.1:\(ports)
        trusted-signers: keys/signers
        trusted-appliers: keys/appliers
      """)
    let recipients = appliers.map { "keys/appliers/\($0.daemon.name).pub" }
    try write(
      "signer.yaml",
      """
      identity: keys/signers/signer.key
      state: signer/state
      heartbeat-seconds: 5
      carriers: [{zeromq: {connect: "tcp://127.0.0.1:\(lines[0].port)", server: keys/relay.pub}}]
      repositories:
        - path: source.git
          remote: \(Self.remote)
          branches: [main]
          recipients: [\(recipients.joined(separator: ", "))]
      """)
    try write("serve.yaml", "signer: signer.yaml\n")
    for (applier, line) in zip(appliers, lines.dropFirst()) {
      try write(
        applier.daemon.name + ".yaml",
        """
        identity: keys/appliers/\(applier.daemon.name).key
        state: \(applier.daemon.name)/state
        carriers: [{zeromq: {connect: "tcp://127.0.0.1:\(line.port)", server: keys/relay.pub}}]
        trusted-signers: [keys/signers/signer.pub]
        checkouts:
          - remote: \(Self.remote)
            branch: main
            path: \(applier.daemon.name)/live
            symbolic-links: any
        """)
    }
  }

  private func write(_ name: String, _ text: String) throws {
    try Data((text + "\n").utf8).write(to: URL(fileURLWithPath: path + "/" + name))
  }

  /// Of a daemon, if it has one.
  func disk(of daemon: Daemon) -> Disk? {
    disks.first { $0.path == path + "/" + daemon.name }
  }

  func end() {
    for daemon in daemons { daemon.kill() }
    for line in lines { line.close() }
  }

  /// Leaves what there is to be looked at: the disks go with this process.
  func keep() throws {
    for disk in disks {
      try Program.run(["cp", "-a", disk.path, disk.path + ".kept"], home: NSTemporaryDirectory())
      try disk.unmount()
      try FileManager.default.removeItem(atPath: disk.path)
      try FileManager.default.moveItem(atPath: disk.path + ".kept", toPath: disk.path)
    }
  }

  func remove() throws {
    for disk in disks { try disk.unmount() }
    try FileManager.default.removeItem(atPath: path)
  }
}
