import Foundation
import GitModel
import TestSupport
import Testing

/// A code host, a public machine, a relay and two private machines: git served by `git http-backend`, webhooks as GitHub
/// sends them, statuses taken over HTTP, mail by a real server. Everything of ours is the program itself.
final class CodeHostInstallation {
  private static let secret = "secret-of-the-hook-0123"
  private static let gitToken = "token-for-git-0123"

  let installation: Installation
  let upstream: PipelineRepository
  let statuses: StatusHost
  let mail: SMTPReceiver
  private(set) var other: PipelineRepository
  private let git: HTTPGitServer
  private let hooksPort: UInt16
  private var deliveryCount = 0

  var folder: PipelineFolder { installation.folder }

  /// `status`: the host's kind, with what its API needs.
  init(host: String, statuses: StatusHost) throws {
    self.statuses = statuses
    installation = try Installation()
    let folder = installation.folder
    upstream = try PipelineRepository(
      making: folder.path("host/shop.git"), in: folder,
      options: ["--bare", "--initial-branch=main"])
    var options = HTTPGitServer.Options()
    options.token = Self.gitToken
    git = try HTTPGitServer(root: folder.path("host"), in: folder, options)
    mail = try SMTPReceiver()
    hooksPort = try FreePort.take()
    other = PipelineRepository(at: folder.path("live2"), in: folder)
    for (name, text) in [
      ("hook.secret", Self.secret), ("git.token", Self.gitToken), ("host.token", StatusHost.token),
    ] {
      try folder.writeSecret(text, to: name)
    }
    try writeHooks()
    try installation.writeRelay()
    try addMachine()
    try writeSigner(host: host)
  }

  private func writeHooks() throws {
    try folder.write(
      "hooks.yaml",
      """
      listen: 127.0.0.1:\(hooksPort)
      state: var/hooks
      signer: signer.sock
      hooks:
        - path: /hooks/shop
          host: github
          remote: \(Installation.remote)
          secret-files: [hook.secret]
      """)
  }

  private func addMachine() throws {
    try installation.succeed("keygen", "web2")
    try FileManager.default.copyItem(
      atPath: folder.path("keys/web2.pub"), toPath: folder.path("keys/appliers/web2.pub"))
  }

  private func writeSigner(host: String) throws {
    try folder.write(
      "signer.yaml",
      """
      identity: keys/signer.key
      state: var/signer
      socket: signer.sock
      heartbeat-seconds: 1
      carriers:
        - zeromq:
            connect: tcp://127.0.0.1:1
            server: keys/relay.pub
      repositories:
        - upstream: \(git.url("shop.git"))
          token-file: git.token
          remote: \(Installation.remote)
          branches: [main]
          poll-seconds: never
          recipients: [keys/web1.pub, keys/web2.pub]
          status: {host: \(host), api: "\(statuses.url)", token-file: host.token}
      notify:
        - on: [applied, refused, recovered, host-unreachable]
          mail: {to: [ops@example.org], from: distro@example.org, server: "smtp://127.0.0.1:\(mail.port)"}
          digest-seconds: 1
      """)
    try folder.write("serve.yaml", "signer: signer.yaml\n")
  }

  // MARK: - Programs

  func startRelay() throws -> RunningProgram {
    let relay = try installation.startRelay()
    try folder.write(
      "web2.yaml",
      String(contentsOfFile: folder.path("web1.yaml"), encoding: .utf8)
        .replacing("keys/web1.key", with: "keys/web2.key")
        .replacing("var/web1", with: "var/web2")
        .replacing("path: live", with: "path: live2"))
    return relay
  }

  /// Once the relay runs.
  func startMachines() throws -> [RunningProgram] {
    try ["web1", "web2"].map { name in
      try RunningProgram(installation.program, ["verify-apply", "--config", "\(name).yaml"])
    }
  }

  // MARK: - What happens at the code host

  /// A commit, pushed to the host; returns its revision.
  @discardableResult
  func push(_ files: [String: String]) throws -> String {
    let id = try installation.source.commit(files)
    try installation.source.git("push", "-q", upstream.path, "main")
    return id.hex
  }

  /// The host's webhook of a push to main; returns the status of the answer.
  func knock(_ revision: String) throws -> String {
    let payload = """
      {"ref":"refs/heads/main","after":"\(revision)","repository":{"full_name":"acme/shop",\
      "ssh_url":"\(Installation.remote)"}}
      """
    let code = try PipelineProgram("/usr/bin/openssl", in: folder).run(
      ["dgst", "-sha256", "-hmac", Self.secret, "-r"], input: Array(payload.utf8)
    ).text.prefix { $0.isHexDigit }
    deliveryCount += 1
    return try PipelineProgram("/usr/bin/curl", in: folder).run([
      "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--data", payload,
      "--header", "Content-Type: application/json", "--header", "X-GitHub-Event: push",
      "--header", "X-GitHub-Delivery: delivery-\(deliveryCount)", "--header",
      "X-Hub-Signature-256: sha256=\(code)", "http://127.0.0.1:\(hooksPort)/hooks/shop",
    ]).text
  }

  // MARK: - What comes of it

  /// All lines that mails have, each once.
  func mailLines() throws -> Set<String> {
    Set(try mail.mails().flatMap { $0.parts[0].split(separator: "\n").map(String.init) })
  }
}
