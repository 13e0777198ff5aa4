import CarrierProtocol
import Relay
import Sodium

/// `config/relay.example.yaml`.
struct RelayConfiguration {
  let settings: RelaySettings
  let log: LogConfiguration

  private static let keys = ["identity", "passphrase-file", "state", "relay", "log"]
  private static let relayKeys = [
    "signers", "appliers", "trusted-signers", "trusted-appliers", "routes", "quotas",
  ]

  static func places(_ path: String) throws -> RelayPlaces {
    let file = try ConfigurationFile(path)
    let root = try file.root.mapping(keys: keys)
    return try places(root, try root["relay"].mapping(keys: relayKeys), in: file)
  }

  private static func places(
    _ root: ConfigurationMapping, _ relay: ConfigurationMapping, in file: ConfigurationFile
  ) throws -> RelayPlaces {
    RelayPlaces(
      state: try file.path(try root["state"]),
      signers: try directory(try relay["trusted-signers"], in: file),
      appliers: try directory(try relay["trusted-appliers"], in: file))
  }

  static func read(_ path: String) throws -> RelayConfiguration {
    let file = try ConfigurationFile(path)
    let root = try file.root.mapping(keys: keys)
    let relay = try root["relay"].mapping(keys: relayKeys)
    let places = try places(root, relay, in: file)
    let peers = TrustedPeers(signers: places.signers, appliers: places.appliers)
    return RelayConfiguration(
      settings: RelaySettings(
        identity: try file.identity(root), state: places.state,
        signersEndpoint: try CarrierKinds.relayEndpoint(at: relay["signers"]),
        appliersEndpoint: try CarrierKinds.relayEndpoint(at: relay["appliers"]),
        trustedSigners: places.signers.path, trustedAppliers: places.appliers.path,
        routes: try routes(relay[optional: "routes"], among: peers),
        quotas: try quotas(relay[optional: "quotas"])),
      log: try LogConfiguration(root[optional: "log"], in: file))
  }

  /// It must be there, but may be empty: then every peer is refused.
  private static func directory(
    _ node: ConfigurationNode, in file: ConfigurationFile
  ) throws -> TrustedDirectory {
    var directory = TrustedDirectory(try file.path(node))
    do {
      _ = try directory.refresh()
    } catch {
      throw node.invalid("\(error)")
    }
    return directory
  }

  // MARK: - Routes

  private static func routes(
    _ node: ConfigurationNode?, among peers: TrustedPeers
  ) throws -> [RelaySettings.Route]? {
    guard let node else { return nil }
    return try node.list().map { route in
      let mapping = try route.mapping(keys: ["signer", "appliers"])
      return RelaySettings.Route(
        signer: try name(try mapping["signer"], among: peers.signerNames),
        appliers: try mapping["appliers"].list().map { try name($0, among: peers.applierNames) })
    }
  }

  private static func name(
    _ node: ConfigurationNode, among names: NameIndex
  ) throws -> String {
    let name = try node.string()
    switch names[name] {
    case .one: return name
    case .none:
      let hint = nearest(to: name, among: names.all).map { "; did you mean '\($0)'?" } ?? ""
      throw node.invalid("there is no identity '\(name)' in the directory\(hint)")
    case .several: throw node.invalid("there is more than one identity '\(name)' in the directory")
    }
  }

  // MARK: - Quotas

  private static func quotas(_ node: ConfigurationNode?) throws -> DepositQuotas {
    guard let node else { return .standard }
    let mapping = try node.mapping(keys: ["depositor", "mailbox"])
    return DepositQuotas(
      depositor: try limit(mapping[optional: "depositor"], else: DepositQuotas.standard.depositor),
      mailbox: try limit(mapping[optional: "mailbox"], else: DepositQuotas.standard.mailbox))
  }

  private static func limit(
    _ node: ConfigurationNode?, else standard: QuotaLimit
  ) throws -> QuotaLimit {
    guard let mapping = try node?.mapping(keys: ["bytes", "messages", "days"]) else {
      return standard
    }
    let days = try mapping[optional: "days"]?.count()
    if let days, days > 91 {
      throw try mapping["days"].invalid("over 91, after which a message is removed")
    }
    return QuotaLimit(
      byteCount: try mapping[optional: "bytes"]?.byteCount() ?? standard.byteCount,
      messageCount: try mapping[optional: "messages"].map { UInt64(try $0.count()) }
        ?? standard.messageCount,
      ageMilliseconds: days.map { UInt64($0) * QuotaLimit.dayMilliseconds }
        ?? standard.ageMilliseconds)
  }
}

extension ConfigurationNode {
  /// A whole number of 1 or more, with K, M or G behind it for 1024, its square and its cube.
  fileprivate func byteCount() throws -> UInt64 {
    let text = try string()
    let shift: UInt64? =
      switch text.last {
      case "K": 10
      case "M": 20
      case "G": 30
      default: nil
      }
    let digits = shift == nil ? text : String(text.dropLast())
    guard let number = UInt64(digits), number >= 1, number <= UInt64.max >> (shift ?? 0) else {
      throw invalid("a number of bytes expected, as in 500M or 16G, found '\(text)'")
    }
    return number << (shift ?? 0)
  }
}
