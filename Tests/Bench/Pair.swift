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
  private var daemon: Program?

  /// `repository`, `checkout`: names in the workspace.
  init(_ workspace: Workspace, _ name: String, repository: String, checkout: String) throws {
    self.workspace = workspace
    self.name = name
    self.repository = repository
    try workspace.makeDirectory(name)
    for identity in ["signer", "web"] {
      try workspace.run([workspace.distro, "keygen", identity], in: name)
    }
    try workspace.write(
      """
      identity: keys/web.key
      state: applier
      carriers: [{zeromq: {listen: "tcp://127.0.0.1:*"}}]
      trusted-signers: [keys/signer.pub]
      checkouts:
        - {remote: "\(Self.remote)", branch: main, path: "\(workspace.path(checkout))"}
      """, to: name + "/web.yaml")
    try configureSigner(endpoint: "tcp://127.0.0.1:9")
  }

  deinit { daemon?.stop() }

  private func configureSigner(endpoint: String) throws {
    try workspace.write(
      """
      identity: keys/signer.key
      state: signer
      carriers: [{zeromq: {connect: "\(endpoint)", server: keys/web.pub}}]
      repositories:
        - path: "\(workspace.path(repository))"
          remote: "\(Self.remote)"
          branches: [main]
          recipients: [keys/web.pub]
      """, to: name + "/signer.yaml")
  }

  var applierState: String { name + "/applier" }
  var signerState: String { name + "/signer" }
  var applier: Mailbox { get throws { try mailbox(of: "web") } }
  var signer: Mailbox { get throws { try mailbox(of: "signer") } }

  private func mailbox(of identity: String) throws -> Mailbox {
    try KeyFile.readPublic(workspace.path(name + "/keys/\(identity).pub")).mailbox
  }

  var daemonMemory: Int? { daemon?.peakMemory }

  /// Listens when it returns.
  func startDaemon() throws {
    let log = workspace.path(name + "/web.log")
    let program = try Program(
      [workspace.distro, "verify-apply", "--config", "web.yaml"], in: workspace.path(name),
      output: log, environment: workspace.environment)
    daemon = program
    while true {
      let text = try String(contentsOfFile: log, encoding: .utf8)
      if let range = text.range(of: "listening endpoint="), text.hasSuffix("\n") {
        let endpoint = text[range.upperBound...].prefix { $0 != "\n" }
        return try configureSigner(endpoint: String(endpoint))
      }
      guard program.isRunning else { throw ProgramFailure(description: "verify-apply: \(text)") }
      usleep(2_000)
    }
  }

  func stopDaemon() {
    daemon?.stop()
    daemon = nil
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
