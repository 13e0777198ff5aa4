import Foundation
import TestSupport
import Testing

/// `distro hooks` as a program: configuration, start, reload, files that change, status and doctor.
@Suite struct HooksRoleTests {
  private static let first = SignedHook.signature
  /// The same with `second-secret-0123456`.
  private static let second = "b5a41fc0c6f979baa2829d37a6224a080d7ce2c69308200c3807d4e1754a344f"

  private let folder: PipelineFolder
  private let program: PipelineProgram
  private let port: UInt16

  init() throws {
    folder = try PipelineFolder()
    program = PipelineProgram(Installation.executable, in: folder)
    port = try FreePort.take()
    try writeSecret("first", "\(SignedHook.secret)\n")
    try writeSecret("second", "second-secret-0123456\n")
    try configure()
  }

  private func writeSecret(_ name: String, _ text: String, mode: Int = 0o600) throws {
    try folder.write(name, text)
    try FileManager.default.setAttributes(
      [.posixPermissions: mode], ofItemAtPath: folder.path(name))
  }

  private func configure(
    secrets: String = "secret-files: [first]", more: String = "", path: String = "/hooks/shop"
  ) throws {
    try folder.write(
      "hooks.yaml",
      """
      listen: 127.0.0.1:\(port)
      state: var
      signer: signer.sock
      \(more)
      hooks:
        - path: \(path)
          host: generic
          remote: \(Installation.remote)
          \(secrets)
      """)
  }

  private func start() throws -> RunningProgram {
    let daemon = try RunningProgram(program, ["hooks", "--config", "hooks.yaml"])
    try daemon.line(with: "event=listening")
    try daemon.line(with: "event=ready")
    return daemon
  }

  /// The status of the answer; curl is one more program that speaks HTTP.
  private func post(
    _ signature: String = first, to path: String = "/hooks/shop", scheme: String = "http",
    _ options: String...
  ) throws -> String {
    try PipelineProgram("/usr/bin/curl", in: folder).run(
      [
        "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--data",
        SignedHook.payload,
        "--header", "Content-Type: application/json", "--header",
        "X-Hub-Signature-256: sha256=\(signature)",
      ] + options + ["\(scheme)://localhost:\(port)\(path)"]
    ).text
  }

  private func reload(_ daemon: RunningProgram, until event: String) throws {
    kill(daemon.pid, SIGHUP)
    try daemon.line(with: event)
  }

  @Test func `a push is taken while the signer is down, and status says that it waits`() throws {
    let daemon = try start()
    #expect(try post() == "202")
    try daemon.line(with: "event=hook-kept")
    let status = try program.run(["status", "--config", "hooks.yaml", "--json"])
    #expect(status.text.contains(#""waiting" : 1"#), "\(status.text)\(status.errors)")
    #expect(status.text.contains("no daemon listens there"))
    #expect(try program.run(["status", "--config", "hooks.yaml"]).text.contains("/hooks/shop"))
    daemon.expectEnd()
    // It is there after a start, too.
    let again = try start()
    try again.line(with: "event=hook-kept")
    again.expectEnd()
  }

  @Test func `without a secret there is no start`() throws {
    try configure(secrets: "")
    expectFailure(
      try program.run(["hooks", "--config", "hooks.yaml"]), status: 78, "secret-files", "insecure")
    try configure(secrets: "insecure: true")
    let daemon = try start()
    #expect(try post("") == "202")
    daemon.expectEnd()
    try configure(secrets: "insecure: true\n    secret-files: [first]")
    expectFailure(try program.run(["hooks", "--config", "hooks.yaml"]), status: 78, "exclude")
  }

  @Test(arguments: [
    ("secret-of-the-hook-0123", 0o640, "others can read"),
    ("secret-of-the-hook-0123", 0o604, "others"),
    ("", 0o600, "not a secret"), ("\n\n", 0o600, "not a secret"),
  ])
  func `a secret that is none ends the start`(text: String, mode: Int, words: String) throws {
    try writeSecret("first", text, mode: mode)
    expectFailure(
      try program.run(["hooks", "--config", "hooks.yaml"]), status: 78, words, "hint:")
    let doctor = try program.run(["doctor", "--config", "hooks.yaml"])
    #expect(doctor.status == 1 && doctor.sentence.contains(words), "\(doctor.text)")
  }

  @Test(arguments: [
    ("listen: 127.0.0.1", "ADDRESS:PORT"), ("listen: :80", "ADDRESS:PORT"),
    ("trusted-proxies: [x]", "network"), ("requests-per-second: 0", "1 or more"),
    ("tls: {certificate: missing, key: missing}", "missing"), ("surprise: 1", "unknown key"),
  ])
  func `a configuration that is wrong says where`(line: String, words: String) throws {
    try configure(more: line.hasPrefix("listen") ? "" : line)
    if line.hasPrefix("listen") {
      try folder.edit("hooks.yaml", "listen: 127.0.0.1:\(port)", line)
    }
    expectFailure(try program.run(["hooks", "--config", "hooks.yaml"]), status: 78, words)
  }

  @Test func `a port that is taken is named`() throws {
    let daemon = try start()
    try folder.edit("hooks.yaml", "state: var", "state: other")
    expectFailure(
      try program.run(["hooks", "--config", "hooks.yaml"]), status: 1, "another process listens",
      "hint:")
    daemon.expectEnd()
  }

  @Test func `a reload changes hooks and secrets while connections stay`() throws {
    let daemon = try start()
    #expect(try post(Self.second) == "401")
    try configure(secrets: "secret-files: [first, second]", path: "/hooks/new")
    try reload(daemon, until: "event=reloaded")
    #expect(try post(to: "/hooks/shop") == "404")
    for signature in [Self.first, Self.second] {
      #expect(try post(signature, to: "/hooks/new") == "202")
    }
    try configure(secrets: "secret-files: [missing]", path: "/hooks/new")
    try reload(daemon, until: "event=reload-failed")
    #expect(try post(to: "/hooks/new") == "202")
    daemon.expectEnd()
  }

  @Test func `a secret that changes is read again without a signal`() throws {
    let daemon = try start()
    try writeSecret("next", "second-secret-0123456")
    unsafe rename(folder.path("next"), folder.path("first"))
    try daemon.line(with: "event=hook-secret-loaded")
    #expect(try post(Self.second) == "202")
    #expect(try post(Self.first) == "401")
    // One that others can read is no secret any more.
    unsafe chmod(folder.path("first"), 0o644)
    try daemon.line(with: "event=hook-secret-rejected")
    #expect(try post(Self.second) == "401")
    unsafe chmod(folder.path("first"), 0o600)
    #expect(try becomesTrue { try post(Self.second) == "202" })
    daemon.expectEnd()
  }

  // MARK: - TLS

  private func makeCertificate(_ name: String) throws {
    let result = try PipelineProgram("/usr/bin/openssl", in: folder).run([
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
      "-days", "30", "-subj", "/CN=\(name)", "-addext", "subjectAltName=DNS:localhost", "-keyout",
      "next.key", "-out", "next.crt",
    ])
    try #require(result.status == 0, "\(result.errors)")
    for kind in ["key", "crt"] {
      unsafe rename(folder.path("next.\(kind)"), folder.path("tls.\(kind)"))
    }
  }

  @Test func `a certificate that changes is read again, and a broken one is not`() throws {
    try makeCertificate("first")
    try configure(more: "tls: {certificate: tls.crt, key: tls.key}")
    let daemon = try start()
    func isTaken() throws -> Bool {
      try post(Self.first, scheme: "https", "--cacert", "tls.crt") == "202"
    }
    #expect(try isTaken())
    let old = try String(contentsOfFile: folder.path("tls.crt"), encoding: .utf8)
    try makeCertificate("second")
    try daemon.line(with: "event=certificate-loaded")
    #expect(try isTaken())
    try folder.write("old.crt", old)
    #expect(try post(Self.first, scheme: "https", "--cacert", "old.crt") == "000")
    let second = try String(contentsOfFile: folder.path("tls.crt"), encoding: .utf8)
    try folder.write("tls.crt", "-----BEGIN CERTIFICATE-----\nbroken\n")
    try daemon.line(with: "event=certificate-rejected")
    try folder.write("second.crt", second)
    #expect(try post(Self.first, scheme: "https", "--cacert", "second.crt") == "202")
    #expect(try post(Self.first, scheme: "http") == "000")
    daemon.expectEnd()
  }

  @Test func `doctor says what is missing and what is right`() throws {
    try makeCertificate("first")
    try configure(more: "tls: {certificate: tls.crt, key: tls.key}")
    var doctor = try program.run(["doctor", "--config", "hooks.yaml"])
    #expect(doctor.status == 0, "\(doctor.text)")
    for words in [
      "is free", "is valid for", "no signer listens", "is a secret of /hooks/shop",
    ] {
      #expect(doctor.sentence.contains(words), "\(doctor.text)")
    }
    let daemon = try start()
    doctor = try program.run(["doctor", "--config", "hooks.yaml"])
    #expect(doctor.sentence.contains("the role runs"), "\(doctor.text)")
    daemon.expectEnd()
    try writeSecret("first", "short")
    doctor = try program.run(["doctor", "--config", "hooks.yaml"])
    #expect(doctor.sentence.contains("can be guessed"))
  }

  // MARK: - Sockets in the file system

  @Test func `a socket in the file system has the rights of the configuration`() throws {
    try folder.edit(
      "hooks.yaml", "listen: 127.0.0.1:\(port)", "listen: {path: hooks.sock, mode: 0666}")
    let daemon = try start()
    #expect(try post(Self.first, "--unix-socket", "hooks.sock") == "202")
    let mode =
      try FileManager.default.attributesOfItem(atPath: folder.path("hooks.sock"))[
        .posixPermissions] as? Int
    #expect(mode == 0o666)
    try folder.edit("hooks.yaml", "state: var", "state: other")
    expectFailure(
      try program.run(["hooks", "--config", "hooks.yaml"]), status: 1, "another process listens")
    daemon.end(SIGKILL)
    // What a killed process leaves is no obstacle.
    let next = try start()
    #expect(try post(Self.first, "--unix-socket", "hooks.sock") == "202")
    next.expectEnd()
    #expect(!FileManager.default.fileExists(atPath: folder.path("hooks.sock")))
  }
}
