import Foundation
import MessageFormat
import Sealing
import Sodium

/// A signer and an applier on this machine, below a directory of their own: keys, configurations, the running daemon.
final class Pair {
  static let remote = "git@example.org:acme/bench.git"

  private let workspace: Workspace
  private let name: String
  private let repository: String
  /// `nil`: the applier listens, and the signer connects to it.
  private var relay: RelayProgram?
  private var daemon: Program?

  /// `repository`, `checkout`: names in the workspace.
  init(
    _ workspace: Workspace, _ name: String, repository: String, checkout: String,
    throughRelay: Bool = false
  ) throws {
    self.workspace = workspace
    self.name = name
    self.repository = repository
    try workspace.makeDirectory(name)
    for identity in ["signer", "web"] {
      try workspace.run([workspace.distro, "keygen", identity], in: name)
    }
    var carrier = "listen: \"tcp://127.0.0.1:*\""
    if throughRelay {
      let relay = try RelayProgram(
        in: workspace, signers: [try identity("signer")], appliers: [try identity("web")])
      carrier = "connect: \"\(relay.appliersEndpoint)\", server: \(relay.publicFile)"
      self.relay = relay
    }
    try workspace.write(
      """
      identity: keys/web.key
      state: applier
      carriers: [{zeromq: {\(carrier)}}]
      trusted-signers: [keys/signer.pub]
      checkouts:
        - {remote: "\(Self.remote)", branch: main, path: "\(workspace.path(checkout))"}
      """, to: name + "/web.yaml")
    try configureSigner(
      endpoint: relay?.signersEndpoint ?? "tcp://127.0.0.1:9",
      server: relay?.publicFile ?? "keys/web.pub")
  }

  deinit { daemon?.stop() }

  private func configureSigner(endpoint: String, server: String) throws {
    try workspace.write(
      """
      identity: keys/signer.key
      state: signer
      carriers: [{zeromq: {connect: "\(endpoint)", server: \(server)}}]
      repositories:
        - path: "\(workspace.path(repository))"
          remote: "\(Self.remote)"
          branches: [main]
          recipients: [keys/web.pub]
      """, to: name + "/signer.yaml")
  }

  var applierState: String { name + "/applier" }
  var signerState: String { name + "/signer" }
  var applier: Mailbox { get throws { try identity("web").mailbox } }
  var signer: Mailbox { get throws { try identity("signer").mailbox } }

  private func identity(_ identity: String) throws -> PublicIdentity {
    try KeyFile.readPublic(workspace.path(name + "/keys/\(identity).pub"))
  }

  var daemonMemory: Int? { daemon?.peakMemory }

  /// Listens, or is connected to the relay, when it returns.
  func startDaemon() throws {
    let log = workspace.path(name + "/web.log")
    let program = try Program(
      [workspace.distro, "verify-apply", "--config", "web.yaml"], in: workspace.path(name),
      output: log, environment: workspace.environment)
    daemon = program
    guard relay == nil else {
      _ = try program.line(with: "event=carrier-connected")
      return
    }
    let words = " endpoint="
    let line = try program.line(with: words)
    guard let range = line.range(of: words) else { preconditionFailure("it was found") }
    try configureSigner(
      endpoint: String(line[range.upperBound...].prefix { $0 != " " }), server: "keys/web.pub")
  }

  func stopDaemon() {
    daemon?.stop()
    daemon = nil
    relay?.stop()
  }

  /// `sign-and-send` as git's hook starts it: in the repository, with "old new ref" lines.
  func startHook(_ lines: String, wait: Int = 600) throws -> Program {
    try workspace.write(lines, to: name + "/push")
    return try Program(
      [
        workspace.distro, "sign-and-send", "--config", workspace.path(name + "/signer.yaml"),
        "--wait", "\(wait)",
      ], in: workspace.path(repository), input: workspace.path(name + "/push"),
      output: workspace.path(name + "/sent"), environment: workspace.environment)
  }

  /// Handles what is in the inbox.
  func catchUp() throws -> Duration {
    try Program(
      [workspace.distro, "verify-apply", "--config", "web.yaml", "--once"],
      in: workspace.path(name), output: workspace.path(name + "/web.log"),
      environment: workspace.environment
    ).wait()
  }
}
