import Foundation
import TestSupport
import Testing

/// Every finding of `distro doctor`, provoked on the real program: keys, directories, the machine.
struct DoctorTests {
  private let installation: Installation
  private var folder: PipelineFolder { installation.folder }

  init() throws {
    installation = try Installation()
    try installation.source.commit(["a": "1\n"])
  }

  private func examine(_ name: String = "web1.yaml", under command: [String] = []) throws
    -> Examination
  {
    try Examination(installation, name, under: command)
  }

  private func setMode(_ mode: Int, _ name: String) throws {
    try FileManager.default.setAttributes(
      [.posixPermissions: mode], ofItemAtPath: folder.path(name))
  }

  private func makeState() throws {
    try FileManager.default.createDirectory(
      atPath: folder.path("var/web1"), withIntermediateDirectories: true,
      attributes: [.posixPermissions: 0o700])
  }

  @Test func `finds no problem where everything works`() throws {
    let daemon = try installation.startDaemon()
    #expect(try installation.sendMain().status == 0)
    let applier = try examine()
    #expect(applier.problems == [] && applier.status == 0)
    applier.expect("ok", "checkout", "main, at \(try installation.source.id().abbreviated)")
    applier.expect("ok", "carrier", "our daemon listens there")
    applier.expect("ok", "state", "is there, and ours alone")
    applier.expect("ok", "limits", "core files: are never written")
    let signer = try examine("signer.yaml")
    #expect(signer.problems == [] && signer.status == 0)
    signer.expect("ok", "carrier", "lets us in")
    signer.expect("ok", "trust", "would take a message from us")
    signer.expect("ok", "repository", "can be sent")
    // Asking left nothing that keeps a message from going out.
    try installation.source.commit(["a": "2\n"])
    #expect(try installation.sendMain().status == 0)
    #expect(daemon.end().status == 0)
  }

  @Test func `changes nothing`() throws {
    let before = try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted()
    #expect(try installation.run("doctor", "--config", "web1.yaml").status == 0)
    #expect(try installation.run("doctor", "--config", "signer.yaml").status == 1)
    #expect(try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted() == before)
  }

  @Test func `text says what to do`() throws {
    let result = try installation.run("doctor", "--config", "signer.yaml")
    let lines = result.text.components(separatedBy: "\n")
    let problem = try #require(lines.firstIndex { $0.hasPrefix("problem  carrier  ") })
    let next = try #require(lines[problem...].dropFirst().firstIndex { $0.first != " " })
    #expect(lines[problem + 1..<next].contains { $0.hasPrefix("         do: is it running there") })
    #expect(result.sentence.contains("nothing listens there do: is it running there"))
    // A word alone may be wider, a path for one.
    let isNarrow = lines.allSatisfy { $0.count <= 80 || $0.split(separator: " ").count <= 3 }
    #expect(isNarrow, "\(result.text)")
  }

  @Test func `examines every role of serve`() throws {
    try folder.write("serve.yaml", "applier: web1.yaml\nsigner: signer.yaml\n")
    try installation.writeApplier(listen: "tcp://127.0.0.1:*")
    let result = try examine("serve.yaml")
    result.expect("ok", "key", "keys/web1.key")
    result.expect("ok", "key", "keys/signer.key")
    result.expect("problem", "carrier", "nothing listens there", advice: "is it running there")
    result.expect("warning", "carrier", "takes another port at every start", advice: "name a port")
  }

  @Test func `configuration that cannot be taken is a problem`() throws {
    try examine("none.yaml").expect("problem", "configuration", "no such file")
    try folder.edit("web1.yaml", "branch: main", "brunch: main")
    try examine().expect("problem", "configuration", "unknown key", advice: "did you mean 'branch'")
    try folder.write("serve.yaml", "{}\n")
    try examine("serve.yaml").expect("problem", "configuration", "at least one of")
  }

  /// A listener has nobody between it and its signers.
  @Test func `checkout behind a relay that expects no heartbeats is a warning`() throws {
    try installation.writeRelay()
    let words = "a relay that keeps everything back would not be noticed"
    try folder.edit("web1.yaml", "symbolic-links: any", "stale-after-seconds: never")
    #expect(try !examine().findings.contains { $0.finding.contains(words) })
    try installation.connect("web1", to: "tcp://127.0.0.1:1")
    try examine().expect("warning", "checkout", words, advice: "run distro serve")
    try folder.edit("web1.yaml", "stale-after-seconds: never", "stale-after-seconds: 60")
    #expect(try !examine().findings.contains { $0.finding.contains(words) })
  }

  // MARK: - Keys

  @Test func `key that is not there or open or damaged is a problem`() throws {
    try setMode(0o644, "keys/web1.key")
    try examine().expect("problem", "key", "is open to group or others", advice: "chmod 600")
    try setMode(0o600, "keys/web1.key")
    try folder.edit("keys/web1.key", "plain", "plaan")
    try examine().expect("problem", "key", "is damaged", advice: "restore the file from a backup")
    try FileManager.default.removeItem(atPath: folder.path("keys/web1.key"))
    try examine().expect("problem", "key", "no such file", advice: "distro keygen")
  }

  @Test func `key directory that others can write to is a problem`() throws {
    try setMode(0o777, "keys")
    try examine().expect("problem", "key", "others can replace keys there", advice: "chmod go-w")
    try setMode(0o1777, "keys")
    #expect(try examine().problems == [])
  }

  @Test func `passphrase that a service cannot be asked for is a warning`() throws {
    try folder.write("phrase", "correct horse\n")
    try setMode(0o600, "phrase")
    try installation.succeed("keygen", "web2", "--passphrase-file", "phrase")
    try folder.edit("web1.yaml", "keys/web1.key", "keys/web2.key")
    let without = try examine()
    without.expect("warning", "key", "needs a passphrase", advice: "'passphrase-file:'")
    without.expect("problem", "configuration", "needs a passphrase")
    try folder.edit("web1.yaml", "state:", "passphrase-file: phrase\nstate:")
    let with = try examine()
    with.expect("ok", "key", "it is web2")
    #expect(with.problems == [])
    try folder.write("phrase", "wrong horse\n")
    try examine().expect("problem", "configuration", "the passphrase is wrong")
  }

  // MARK: - State

  @Test func `state that cannot be made is a problem`() throws {
    try folder.edit("web1.yaml", "var/web1", "shop/a/state")
    try examine().expect("problem", "state", "cannot be made", advice: "install -d")
    try folder.edit("web1.yaml", "shop/a/state", "shop/a")
    try examine().expect("problem", "state", "is no directory", advice: "move the file away")
  }

  @Test func `state that others can reach is found`() throws {
    try makeState()
    try setMode(0o755, "var/web1")
    try examine().expect("warning", "state", "others can look into it", advice: "chmod 700")
    try setMode(0o770, "var/web1")
    try examine().expect("problem", "state", "others can write there", advice: "chmod 700")
  }

  @Test(.enabled(if: geteuid() == 0, "only root gives files away"))
  func `state of another user is found`() throws {
    try makeState()
    try FileManager.default.setAttributes(
      [.ownerAccountID: 65_534], ofItemAtPath: folder.path("var/web1"))
    try examine().expect("warning", "state", "belongs to user 65534", advice: "sudo -u '#65534'")
  }

  @Test func `state that was written in the future means a wrong clock`() throws {
    try makeState()
    let path = try folder.write("var/web1/state.sqlite", "")
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: 3_600)], ofItemAtPath: path)
    try examine().expect("problem", "clock", "in the future", advice: "set the clock")
  }

  // MARK: - The machine

  @Test func `clock is synchronised or a warning`() throws {
    let found = try examine().findings.filter { $0.area == "clock" }
    #expect(found.count == 1)
    #expect(found[0].severity == "ok" || found[0].advice?.contains("NTP client") == true)
  }

  @Test func `low limits are found`() throws {
    let result = try examine(under: ["/usr/bin/prlimit", "--nofile=200", "--memlock=65536", "--"])
    result.expect("problem", "limits", "200 are allowed", advice: "LimitNOFILE=")
    result.expect("warning", "limits", "keys may be written to swap", advice: "LimitMEMLOCK=")
  }

  private func onDisk(
    _ byteCount: Int, nodeCount: Int? = nil, _ body: (String) throws -> Void
  ) throws {
    let disk = folder.path("var/web1")
    try SmallDisk.mount(on: disk, byteCount: byteCount, nodeCount: nodeCount, home: folder.path) {
      try setMode(0o700, "var/web1")
      try body(disk)
    }
  }

  @Test(.enabled(if: SmallDisk.isAllowed, "nothing can be mounted here"))
  func `little room is found`() throws {
    try onDisk(16 << 20) { _ in
      try examine().expect("problem", "disk", "16 MiB of 16 MiB are free", advice: "make room")
    }
    try onDisk(512 << 20) { _ in
      try examine().expect("warning", "disk", "512 MiB of 512 MiB are free", advice: "make room")
    }
    try onDisk(2 << 30, nodeCount: 500) { _ in
      try examine().expect("problem", "disk", "inodes are free", advice: "small files")
    }
    try onDisk(2 << 30) { _ in
      try examine().expect("ok", "disk", "2048 MiB of 2048 MiB are free")
    }
  }

  @Test(.enabled(if: SmallDisk.isAllowed, "nothing can be mounted here"))
  func `state that cannot be written to is a problem`() throws {
    try onDisk(2 << 30) { disk in
      try Program.run(["mount", "-o", "remount,ro", disk], home: folder.path)
      try examine().expect("problem", "state", "cannot be written to", advice: "ReadWritePaths=")
    }
  }
}
