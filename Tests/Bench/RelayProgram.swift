import Foundation
import MessageFormat
import Sodium
import TestSupport
import ZeroMQ

/// `distro relay` in a workspace, and the identities that it lets in.
final class RelayProgram {
  private let program: Program
  private let key: CurvePublicKey
  let signersEndpoint: String
  let appliersEndpoint: String

  /// Listens when it returns.
  init(
    in workspace: Workspace, signers: [String], appliers: [String], host: String = "127.0.0.1"
  ) throws {
    for (directory, names) in [("signers", signers), ("appliers", appliers)] {
      try workspace.makeDirectory("relay/" + directory)
      for name in names {
        try workspace.write(
          TestIdentity.make(name).public.line + "\n", to: "relay/\(directory)/\(name).pub")
      }
    }
    let identity = try TestIdentity.make("relay")
    key = try CurvePublicKey(identity.public.transportKey.bytes)
    _ = try KeyFile.create(identity, inDirectory: workspace.path("relay"), passphrase: nil)
    try workspace.write(
      """
      identity: relay.key
      state: state
      relay:
        signers: "tcp://\(host):*"
        appliers: "tcp://\(host):*"
        trusted-signers: signers
        trusted-appliers: appliers
      """, to: "relay/relay.yaml")
    let log = workspace.path("relay/log")
    program = try Program(
      [workspace.distro, "relay", "--config", "relay.yaml"], in: workspace.path("relay"),
      output: log, environment: workspace.environment)
    var text = ""
    while !text.contains("listening") || !text.hasSuffix("\n") {
      guard program.isRunning else { throw ProgramFailure(description: "relay: \(text)") }
      usleep(2_000)
      text = try String(contentsOfFile: log, encoding: .utf8)
    }
    func endpoint(_ name: String) throws -> String {
      let words = text.split(whereSeparator: \.isWhitespace)
      guard let word = words.first(where: { $0.hasPrefix(name + "=tcp") }) else {
        throw ProgramFailure(description: "relay: \(text)")
      }
      return String(word.dropFirst(name.count + 1)).replacing("0.0.0.0", with: "127.0.0.1")
    }
    signersEndpoint = try endpoint("signers")
    appliersEndpoint = try endpoint("appliers")
  }

  deinit { program.stop() }

  func signer(_ name: String, in context: Context) throws -> CarrierVisitor {
    try CarrierVisitor(name, to: signersEndpoint, of: key, in: context)
  }

  func applier(
    _ name: String, at endpoint: String? = nil, in context: Context
  ) throws -> CarrierVisitor {
    try CarrierVisitor(name, to: endpoint ?? appliersEndpoint, of: key, in: context)
  }

  /// Resident now, in bytes.
  var memory: Int { get throws { try ProcessFigures.memory(of: program.id) } }
  /// Of all its threads so far, in seconds.
  var processorTime: Double { get throws { try ProcessFigures.processorTime(of: program.id) } }
}

/// What proc(5) tells of a process.
enum ProcessFigures {
  static func memory(of id: pid_t) throws -> Int {
    let text = try String(contentsOfFile: "/proc/\(id)/statm", encoding: .utf8)
    return (Int(text.split(separator: " ")[1]) ?? 0) * 4_096
  }

  /// In ticks of 10 ms.
  static func processorTime(of id: pid_t) throws -> Double {
    let fields = try String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8)
      .split(separator: " ")
    return ((Double(fields[13]) ?? 0) + (Double(fields[14]) ?? 0)) / 100
  }
}
