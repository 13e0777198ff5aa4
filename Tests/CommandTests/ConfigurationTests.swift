import Foundation
import TestSupport
import Testing

/// Configurations and key files that cannot be taken: each with its own error, and a hint where there is one.
struct ConfigurationTests {
  private let installation: Installation

  init() throws { installation = try Installation() }

  private func apply() throws -> ProgramResult {
    try installation.run("verify-apply", "--config", "web1.yaml", "--once")
  }

  private func send() throws -> ProgramResult { try installation.send("--flush", "--wait", "0") }

  @Test func `unknown key is named with its line and the nearest known one`() throws {
    try installation.folder.edit("signer.yaml", "repositories:", "repostories:")
    expectFailure(
      try send(), status: 78, "signer.yaml:7", "unknown key 'repostories'",
      "did you mean 'repositories'?")
    try installation.folder.edit("web1.yaml", "    path:", "    pth:")
    expectFailure(
      try apply(), status: 78, "web1.yaml:10", "unknown key 'pth'", "did you mean 'path'?")
  }

  @Test func `wrong types are named with their place`() throws {
    try installation.folder.edit("web1.yaml", "[keys/signer.pub]", "keys/signer.pub")
    expectFailure(
      try apply(), status: 78, "web1.yaml:6", "trusted-signers", "a list expected, found text")
    try installation.folder.edit("signer.yaml", "branches: [main]", "branches: {main: 1}")
    expectFailure(try send(), status: 78, "branches", "a list expected, found a mapping")
  }

  @Test func `values that are none of the choices are named`() throws {
    try installation.folder.edit("web1.yaml", "symbolic-links: any", "symbolic-links: some")
    expectFailure(
      try apply(), status: 78, "symbolic-links", "refuse or inside or any expected, found 'some'")
    try installation.folder.edit("web1.yaml", "symbolic-links: some", "on-local-changes: ask")
    expectFailure(try apply(), status: 78, "on-local-changes", "found 'ask'")
    try installation.folder.edit("web1.yaml", "on-local-changes: ask", "\ndeadline-seconds: 0")
    expectFailure(
      try apply(), status: 78, "deadline-seconds", "a whole number of 1 or more expected")
  }

  @Test(arguments: ["0", "-1", "soon", "7776001", "99999999999999999999"])
  func `time without any heartbeat is seconds or never`(value: String) throws {
    try installation.folder.edit(
      "web1.yaml", "symbolic-links: any", "stale-after-seconds: \(value)")
    expectFailure(
      try apply(), status: 78, "stale-after-seconds",
      "1 to 7776000 seconds, or 'never' expected, found '\(value)'")
  }

  @Test func `branches that are none are named`() throws {
    try installation.folder.edit("signer.yaml", "branches: [main]", "branches: [refs/tags/v1]")
    expectFailure(try send(), status: 78, "'refs/tags/v1' is no branch")
  }

  @Test func `missing key is named`() throws {
    try installation.folder.edit("web1.yaml", "state: var/web1\n", "")
    expectFailure(
      try apply(), status: 78, "the key 'state' is missing", "distro: hint: add a line 'state:")
  }

  @Test func `syntax errors have their line`() throws {
    try installation.folder.edit("web1.yaml", "state: var/web1", "state: [var/web1")
    expectFailure(try apply(), status: 78, "web1.yaml:", "not valid YAML")
    try installation.folder.write("web1.yaml", "")
    expectFailure(try apply(), status: 78, "a mapping expected, found nothing")
  }

  @Test func `a key that stands twice is named`() throws {
    try installation.folder.edit("web1.yaml", "state: var/web1", "state: a\nstate: b")
    let result = try apply()
    expectFailure(result, status: 78, "web1.yaml:", "twice in one mapping: 'state'")
    #expect(result.errors.split(separator: "\n").count <= 2, "\(result.errors)")
  }

  @Test func `missing file is named`() throws {
    expectFailure(
      try installation.run("verify-apply", "--config", "none.yaml"), status: 78, "none.yaml",
      "there is no such file", "--config")
  }

  @Test func `refuses to start without trusted signers`() throws {
    try installation.folder.edit("web1.yaml", "[keys/signer.pub]", "[]")
    expectFailure(try apply(), status: 78, "expected at least one signer")
    try installation.folder.edit("web1.yaml", "trusted-signers: []\n", "")
    expectFailure(try apply(), status: 78, "the key 'trusted-signers' is missing")
  }

  @Test(arguments: [
    "nowhere", "relay.example.org:5557", "http://127.0.0.1:5557", "tcp://127.0.0.1",
    "tcp://127.0.0.1:99999",
  ])
  func `an address that no socket takes is a mistake in the configuration`(address: String) throws {
    try installation.writeApplier(listen: address)
    expectFailure(try apply(), status: 78, "distro: error:", "listen", address)
    let signer = try String(
      contentsOfFile: installation.folder.path("signer.yaml"), encoding: .utf8)
    let connect = try #require(signer.firstMatch(of: /connect: (\S+)/)).1
    try installation.folder.edit("signer.yaml", "connect: \(connect)", "connect: \(address)")
    expectFailure(
      try installation.run("sign-and-send", "--config", "signer.yaml", "--flush"), status: 78,
      "connect", address)
  }

  // MARK: - Key files

  private func keyError(
    _ words: String..., sourceLocation: SourceLocation = #_sourceLocation,
    _ damage: (String) throws -> Void
  ) throws {
    let path = installation.folder.path("keys/web1.key")
    let good = try Data(contentsOf: URL(fileURLWithPath: path))
    try damage(path)
    let result = try apply()
    #expect(result.status == 78, "\(result.errors)", sourceLocation: sourceLocation)
    for part in words {
      #expect(result.errors.contains(part), "\(result.errors)", sourceLocation: sourceLocation)
    }
    // A secret is never shown, damaged or not.
    for line in String(decoding: good, as: UTF8.self).split(separator: "\n")
    where !line.hasPrefix("#") {
      #expect(!result.errors.contains(line), sourceLocation: sourceLocation)
    }
  }

  @Test func `every flaw of a secret key file has its own error`() throws {
    let files = FileManager.default
    let path = installation.folder.path("keys/web1.key")
    let good = try String(contentsOfFile: path, encoding: .utf8)
    func write(_ text: String) throws {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
      try files.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    }
    let middle = good.index(good.endIndex, offsetBy: -20)
    let other = good[middle] == "A" ? "B" : "A"
    try keyError("is damaged") { _ in
      try write(good.replacingCharacters(in: middle...middle, with: other))
    }
    try keyError("is truncated") { _ in try write(String(good.dropLast(30))) }
    try keyError("is not a key") { _ in try write("hello\n") }
    try keyError("holds a public key where a secret one is needed", ".key file") { path in
      try write(String(contentsOfFile: path.replacing(".key", with: ".pub"), encoding: .utf8))
    }
    try keyError("is open to group or others", "chmod 600") { path in
      try write(good)
      try files.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
    }
    try keyError("no such file", "distro keygen") { path in try files.removeItem(atPath: path) }
  }

  @Test func `secret key in place of a public one is named`() throws {
    try installation.folder.edit("web1.yaml", "keys/signer.pub", "keys/signer.key")
    expectFailure(
      try apply(), status: 78, "holds a secret key where a public one is needed", ".pub file")
  }
}
