import Applier
import Foundation
import MessageFormat
import Sealing
import Sodium

/// `config/applier.example.yaml`.
struct ApplierConfiguration {
  private static let deadlineSecondsDefault = 600
  private static let deadlineSecondsMax = 86_400
  /// Ten heartbeats of a signer that sends them as often as it does by itself.
  private static let staleAfterSecondsDefault: UInt64 = 600
  /// A message's longest lifetime.
  private static let staleAfterSecondsMax = Limits.lifetimeMillisecondsMax / 1_000

  let settings: ApplierSettings
  let carriers: CarriersConfiguration
  let log: LogConfiguration

  static func read(_ path: String) throws -> ApplierConfiguration {
    let file = try ConfigurationFile(path)
    let root = try file.root.mapping(
      keys: CarriersConfiguration.keys + [
        "identity", "passphrase-file", "state", "trusted-signers", "checkouts",
        "deadline-seconds", "log", "metrics",
      ])
    let signers = try root["trusted-signers"].list().map { try file.publicIdentity($0) }
    guard !signers.isEmpty else {
      throw try root["trusted-signers"].invalid(
        "expected at least one signer")
    }
    let checkouts = try root["checkouts"].list().map {
      try checkout($0, trusted: signers, in: file)
    }
    guard !checkouts.isEmpty else {
      throw try root["checkouts"].invalid("at least one checkout expected")
    }
    guard Set(checkouts.map(\.path)).count == checkouts.count else {
      throw try root["checkouts"].invalid("two checkouts have the same path")
    }
    guard Set(checkouts.map(\.stream)).count == checkouts.count else {
      throw try root["checkouts"].invalid("two checkouts have the same remote and branch")
    }
    let seconds = try root[optional: "deadline-seconds"]?.count() ?? deadlineSecondsDefault
    guard seconds <= deadlineSecondsMax else {
      throw try root["deadline-seconds"].invalid("over the limit of \(deadlineSecondsMax)")
    }
    return ApplierConfiguration(
      settings: ApplierSettings(
        identity: try file.identity(root), state: try file.path(try root["state"]),
        trustedSigners: signers, checkouts: checkouts, deadline: .seconds(seconds),
        metrics: try root[optional: "metrics"].map { try file.path($0) }),
      carriers: try CarriersConfiguration(root, for: .applier, in: file),
      log: try LogConfiguration(root[optional: "log"], in: file))
  }

  private static func checkout(
    _ node: ConfigurationNode, trusted: [PublicIdentity], in file: ConfigurationFile
  ) throws -> CheckoutSettings {
    let mapping = try node.mapping(
      keys: [
        "remote", "branch", "path", "on-local-changes", "on-going-back", "unusual-paths",
        "symbolic-links", "signers", "stale-after-seconds", "limits",
      ] + CommandsConfiguration.keys + LayoutConfiguration.keys
        + PolicyConfiguration.keys)
    return CheckoutSettings(
      stream: StreamName(
        remote: try remoteName(try mapping["remote"]), branch: try branch(try mapping["branch"])),
      path: try file.path(try mapping["path"]),
      onLocalChanges: try mapping[optional: "on-local-changes"]?
        .choice(CheckoutSettings.LocalChanges.self) ?? .refuse,
      onGoingBack: try mapping[optional: "on-going-back"]?
        .choice(CheckoutSettings.GoingBack.self) ?? .apply,
      unusualPaths: try mapping[optional: "unusual-paths"]?
        .choice(CheckoutSettings.UnusualPaths.self) ?? .refuse,
      symbolicLinks: try mapping[optional: "symbolic-links"]?
        .choice(CheckoutSettings.SymbolicLinks.self) ?? .inside,
      signers: try signers(mapping[optional: "signers"], trusted: trusted, in: file),
      staleAfterSeconds: try staleAfterSeconds(mapping[optional: "stale-after-seconds"]),
      limits: try LimitsConfiguration.read(mapping[optional: "limits"]),
      largeFileFilter: try largeFileFilter(),
      commands: try CommandsConfiguration.read(mapping, in: file),
      layout: try LayoutConfiguration.read(mapping),
      policy: try PolicyConfiguration.read(mapping))
  }

  /// This program, wherever git is run.
  private static func largeFileFilter() throws -> String {
    let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    return "'" + program.replacing("'", with: "'\\''") + "' " + LargeFileFilterCommand.name
  }

  private static func staleAfterSeconds(_ node: ConfigurationNode?) throws -> UInt64? {
    guard let node else { return staleAfterSecondsDefault }
    let text = try node.string()
    guard text != "never" else { return nil }
    guard let seconds = UInt64(text), (1...staleAfterSecondsMax).contains(seconds) else {
      throw node.invalid(
        "1 to \(staleAfterSecondsMax) seconds, or 'never' expected, found '\(text)'")
    }
    return seconds
  }

  private static func signers(
    _ node: ConfigurationNode?, trusted: [PublicIdentity], in file: ConfigurationFile
  ) throws -> Set<Mailbox> {
    let all = Set(trusted.map(\.mailbox))
    guard let node else { return all }
    let named = Set(try node.list().map { try file.publicIdentity($0).mailbox })
    guard named.isSubset(of: all), !named.isEmpty else {
      throw node.invalid("one or more of 'trusted-signers:' expected")
    }
    return named
  }
}
