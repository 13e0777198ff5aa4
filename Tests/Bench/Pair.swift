import Foundation
import MessageFormat
import Sealing
import Sodium
import TestSupport

/// A signer and an applier on this machine, below a directory of their own: keys, configurations, the running daemon.
final class Pair {
  /// How the signer's messages come to the applier.
  enum Way {
    /// The applier listens, and the signer connects to it.
    case direct
    case relay
    /// This entry of both configurations.
    case broker(entry: String)
  }

  static let remote = "git@example.org:acme/bench.git"

  private let workspace: Workspace
  private let name: String
  private let repository: String
  private let way: Way
  private var relay: RelayProgram?
  private var daemon: Program?
  private let absent: String?
  private let isFetched: Bool

  /// `repository`, `checkout`: names in the workspace. `isFetched`: the signer has a mirror of it, and a socket. `absent`: a
  /// recipient of another stream that the relay does not know.
  init(
    _ workspace: Workspace, _ name: String, repository: String, checkout: String,
    checkoutKeys: String = "", by way: Way = .direct, isFetched: Bool = false,
    absent: String? = nil
  ) throws {
    self.way = way
    self.absent = absent
    self.isFetched = isFetched
    self.workspace = workspace
    self.name = name
    self.repository = repository
    try workspace.makeDirectory(name)
    for identity in ["signer", "web"] {
      try workspace.run([workspace.distro, "keygen", identity], in: name)
    }
    let carrier: String
    switch way {
    case .direct: carrier = "zeromq: {listen: \"tcp://127.0.0.1:*\"}"
    case .relay:
      let relay = try RelayProgram(
        in: workspace, signers: [try identity("signer")], appliers: [try identity("web")])
      carrier =
        "zeromq: {connect: \"\(relay.appliersEndpoint)\", server: \(relay.publicFile)}"
      self.relay = relay
    case .broker(let entry): carrier = entry
    }
    try workspace.write(
      """
      identity: keys/web.key
      state: applier
      carriers: [{\(carrier)}]
      trusted-signers: [keys/signer.pub]
      checkouts:
        - {remote: "\(Self.remote)", branch: main, path: "\(workspace.path(checkout))"\(checkoutKeys)}
      """, to: name + "/web.yaml")
    try configureSigner(
      endpoint: relay?.signersEndpoint ?? "tcp://127.0.0.1:9",
      server: relay?.publicFile ?? "keys/web.pub")
  }

  deinit { daemon?.stop() }

  private func configureSigner(endpoint: String, server: String) throws {
    var carrier = "zeromq: {connect: \"\(endpoint)\", server: \(server)}"
    if case .broker(let entry) = way { carrier = entry }
    let path = workspace.path(repository)
    let source = isFetched ? "upstream: \"file://\(path)\"" : "path: \"\(path)\""
    try workspace.write(
      """
      identity: keys/signer.key
      state: signer
      \(isFetched ? "socket: signer.sock" : "")
      carriers: [{\(carrier)}]
      repositories:
        - \(source)
          remote: "\(Self.remote)"
          branches: [main]
          recipients: [keys/web.pub]

      """ + absentEntry, to: name + "/signer.yaml")
  }

  private var absentEntry: String {
    get throws {
      guard let absent else { return "" }
      try workspace.write(
        try TestIdentity.make(absent).public.line + "\n", to: name + "/keys/\(absent).pub")
      return """
          - path: "\(workspace.path(repository))"
            remote: "git@example.org:acme/absent.git"
            branches: [base]
            recipients: [keys/\(absent).pub]
        """
    }
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
    guard case .direct = way else {
      _ = try program.line(with: "event=carrier-connected")
      return
    }
    let words = " endpoint="
    let line = try program.line(with: words)
    guard let range = line.range(of: words) else { preconditionFailure("it was found") }
    try configureSigner(
      endpoint: String(line[range.upperBound...].prefix { $0 != " " }), server: "keys/web.pub")
  }

  /// The signer's daemon, and the hook `path` that it takes at the port; it listens when it returns.
  func startHooks(_ hook: HookLine.Hook, at port: UInt16) throws -> Program {
    try workspace.write(hook.secret, to: name + "/secret", isPrivate: true)
    try workspace.write(
      hook.configuration(port: port, remote: Self.remote), to: name + "/hooks.yaml")
    try workspace.write("signer: signer.yaml\nhooks: hooks.yaml\n", to: name + "/serve.yaml")
    let program = try Program(
      [workspace.distro, "serve", "--config", "serve.yaml"], in: workspace.path(name),
      output: workspace.path(name + "/serve.log"), environment: workspace.environment)
    _ = try program.line(with: "event=carrier-connected")
    try program.waitForListener(at: port)
    return program
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

  /// What git does at a push: the branch moves, and then the hook is started.
  func startPush(of commit: String, behind before: String, wait: Int = 600) throws -> Program {
    try workspace.git("update-ref", "refs/heads/main", commit, in: repository)
    return try startHook("\(before) \(commit) refs/heads/main\n", wait: wait)
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
