import Foundation
import MessageFormat
import Sodium
import TestSupport
import ZeroMQ

/// `distro relay` in a workspace, and the identities that it lets in.
final class RelayProgram {
  let program: Program
  private let key: CurvePublicKey
  let publicFile: String
  let signersEndpoint: String
  let appliersEndpoint: String

  /// Its name among the identities of tests, and its directory's in the workspace.
  static let name = "relay"

  /// Names of identities of tests.
  convenience init(in workspace: Workspace, signers: [String], appliers: [String]) throws {
    try self.init(
      in: workspace, signers: signers.map { try TestIdentity.make($0).public },
      appliers: appliers.map { try TestIdentity.make($0).public })
  }

  /// Listens when it returns.
  init(in workspace: Workspace, signers: [PublicIdentity], appliers: [PublicIdentity]) throws {
    for (directory, identities) in [("signers", signers), ("appliers", appliers)] {
      try workspace.makeDirectory("relay/" + directory)
      for identity in identities {
        try workspace.write(
          identity.line + "\n", to: "relay/\(directory)/\(identity.name).pub")
      }
    }
    let identity = try TestIdentity.make(Self.name)
    key = try CurvePublicKey(identity.public.transportKey.bytes)
    _ = try KeyFile.create(identity, inDirectory: workspace.path("relay"), passphrase: nil)
    try workspace.write(
      """
      identity: relay.key
      state: state
      relay:
        signers: "tcp://127.0.0.1:*"
        appliers: "tcp://127.0.0.1:*"
        trusted-signers: signers
        trusted-appliers: appliers
      """, to: "relay/relay.yaml")
    publicFile = workspace.path("relay/\(Self.name).pub")
    let log = workspace.path("relay/log")
    program = try Program(
      [workspace.distro, "relay", "--config", "relay.yaml"], in: workspace.path("relay"),
      output: log, environment: workspace.environment)
    let text = try program.line(with: "event=listening")
    func endpoint(_ name: String) throws -> String {
      let words = text.split(whereSeparator: \.isWhitespace)
      guard let word = words.first(where: { $0.hasPrefix(name + "=tcp") }) else {
        throw ProgramFailure(description: "relay: \(text)")
      }
      return String(word.dropFirst(name.count + 1))
    }
    signersEndpoint = try endpoint("signers")
    appliersEndpoint = try endpoint("appliers")
  }

  deinit { program.stop() }

  func signer(_ name: String, in context: Context) throws -> CarrierVisitor {
    try CarrierVisitor(name, to: signersEndpoint, of: key, in: context)
  }

  func applier(_ name: String, in context: Context) throws -> CarrierVisitor {
    try CarrierVisitor(name, to: appliersEndpoint, of: key, in: context)
  }

  func stop() { program.stop() }
}
