import CarrierProtocol
import MessageFormat
import Reporting
import Sealing
import Signer
import Sodium

/// `config/signer.example.yaml`.
struct SignerConfiguration {
  let settings: SignerSettings
  let reporting: ReportingSettings
  let log: LogConfiguration

  private static let lifetimeDaysDefault = 30
  private static let repositoryKeys =
    SourceConfiguration.keys
    + [
      "remote", "branches", "recipients", "history", "limits", "lfs", "submodules", "same-tree",
      "status",
    ]
  private static let heartbeatSecondsDefault = 60
  private static let heartbeatSecondsMax = 86_400

  private static let keys =
    CarriersConfiguration.keys
    + [
      "identity", "passphrase-file", "state", "repositories", "lifetime-days",
      "heartbeat-seconds", "socket", "notify", "stale-after-seconds", "log",
    ]

  /// Where the state lies, and what is sent to whom: for looking at that no secret key is needed.
  struct Places {
    let state: String
    let socket: SignerSocket
    let repositories: [SignerRepository]
    let reporting: ReportingSettings
    let faults: [SodiumError]
  }

  static func places(_ path: String) throws -> Places {
    let file = try ConfigurationFile(path)
    let root = try file.root.mapping(keys: keys)
    var faults: [SodiumError] = []
    let repositories = try repositories(root, in: file, &faults)
    return Places(
      state: try file.path(try root["state"]), socket: try SocketConfiguration.read(root, in: file),
      repositories: repositories,
      reporting: try ReportingConfiguration.read(
        root, heartbeatSeconds: try heartbeatSeconds(root), in: file),
      faults: faults)
  }

  private static func heartbeatSeconds(_ root: ConfigurationMapping) throws -> Int {
    let seconds = try root[optional: "heartbeat-seconds"]?.count() ?? heartbeatSecondsDefault
    guard seconds <= heartbeatSecondsMax else {
      throw try root["heartbeat-seconds"].invalid("over the limit of \(heartbeatSecondsMax)")
    }
    return seconds
  }

  static func read(_ path: String) throws -> SignerConfiguration {
    let file = try ConfigurationFile(path)
    let root = try file.root.mapping(keys: keys)
    let days = try root[optional: "lifetime-days"]?.count() ?? lifetimeDaysDefault
    let daysMax = Int(Limits.lifetimeMillisecondsMax / 86_400_000)
    guard days <= daysMax else {
      throw try root["lifetime-days"].invalid("\(days) days are over the limit of \(daysMax)")
    }
    let heartbeat = try heartbeatSeconds(root)
    var faults: [SodiumError] = []
    let repositories = try repositories(root, in: file, &faults)
    let carriers = try CarriersConfiguration(root, for: .signer, in: file)
    try requireCarriers(for: repositories, carriers.plans, at: try root["carriers"])
    let settings = SignerSettings(
      identity: try file.identity(root), state: try file.path(try root["state"]),
      carriers: carriers.plans, failover: carriers.failover, repositories: repositories,
      lifetimeMilliseconds: UInt64(days) * 86_400_000, heartbeatSeconds: UInt64(heartbeat),
      recipientFaults: faults, socket: try SocketConfiguration.read(root, in: file))
    return SignerConfiguration(
      settings: settings,
      reporting: try ReportingConfiguration.read(root, heartbeatSeconds: heartbeat, in: file),
      log: try LogConfiguration(root[optional: "log"], in: file))
  }

  private static func repositories(
    _ root: ConfigurationMapping, in file: ConfigurationFile, _ faults: inout [SodiumError]
  ) throws -> [SignerRepository] {
    var streams: Set<StreamName> = []
    var repositories: [SignerRepository] = []
    let state = try file.path(try root["state"])
    for node in try root["repositories"].list() {
      let repository = try repository(node, state: state, in: file, &faults)
      for branch in repository.branches.names {
        // It has one line of numbers, and one list of recipients.
        guard streams.insert(repository.stream(branch)).inserted else {
          throw node.invalid("\(branch.shortName) of \(repository.remote) is named twice")
        }
      }
      repositories.append(repository)
    }
    try SourceConfiguration.requireAgreement(repositories, at: try root["repositories"])
    return repositories
  }

  private static func repository(
    _ node: ConfigurationNode, state: String, in file: ConfigurationFile,
    _ faults: inout [SodiumError]
  ) throws -> SignerRepository {
    let mapping = try node.mapping(keys: repositoryKeys)
    let remote = try remoteName(try mapping["remote"])
    let recipients = try recipients(try mapping["recipients"], in: file, &faults)
    guard (1...Limits.trustedFileCountMax).contains(recipients.count) else {
      throw try mapping["recipients"].invalid(
        "1 to \(Limits.trustedFileCountMax) recipients expected")
    }
    guard Set(recipients.map(\.mailbox)).count == recipients.count else {
      throw try mapping["recipients"].invalid("the same identity is named twice")
    }
    let (source, pollSeconds) = try SourceConfiguration.read(mapping, state: state, in: file)
    return SignerRepository(
      source: source, remote: remote,
      branches: try SourceConfiguration.branches(try mapping["branches"]), recipients: recipients,
      history: try mapping[optional: "history"]?.choice(SignerRepository.History.self) ?? .tip,
      limits: try LimitsConfiguration.read(mapping[optional: "limits"]),
      largeFiles: try mapping[optional: "lfs"]?.choice(SignerRepository.LargeFiles.self)
        ?? .pointers,
      submodules: try mapping[optional: "submodules"]?.choice(SignerRepository.Submodules.self)
        ?? .pin,
      sameTree: try mapping[optional: "same-tree"]?.choice(SignerRepository.SameTree.self)
        ?? .skip,
      pollSeconds: pollSeconds)
  }

  /// One file that cannot be used concerns one machine; all of them, the configuration.
  private static func recipients(
    _ node: ConfigurationNode, in file: ConfigurationFile, _ faults: inout [SodiumError]
  ) throws -> [PublicIdentity] {
    var recipients: [PublicIdentity] = []
    var own: [SodiumError] = []
    for entry in try node.list() {
      do {
        recipients.append(try file.publicIdentity(entry))
      } catch ConfigurationError.key(let error) {
        own.append(error)
      }
    }
    if recipients.isEmpty, let first = own.first { throw ConfigurationError.key(first) }
    for error in own where !faults.contains(error) { faults.append(error) }
    return recipients
  }

  /// A recipient that no carrier reaches would wait for ever. A relay, whose server has no mailbox, reaches all.
  private static func requireCarriers(
    for repositories: [SignerRepository], _ carriers: [any CarrierPlan], at node: ConfigurationNode
  ) throws {
    let recipients = repositories.flatMap(\.recipients)
    let reached = carriers.reach(of: Set(recipients.map(\.mailbox)))
      .reduce(into: Set<Mailbox>()) { $0.formUnion($1.1) }
    for recipient in recipients where !reached.contains(recipient.mailbox) {
      throw node.invalid("no carrier leads to the recipient \(recipient.name)")
    }
  }
}

/// The name that both sides have for a repository.
func remoteName(_ node: ConfigurationNode) throws -> RemoteName {
  let name = try node.string()
  do throws(FormatError) {
    return try RemoteName(name)
  } catch {
    throw node.invalid("\(error)")
  }
}

/// A branch by its short or full name.
func branch(_ node: ConfigurationNode) throws -> BranchName {
  let text = try node.string()
  guard let branch = BranchName(text) else {
    throw node.invalid("'\(text)' is no branch; tags and other refs are not carried")
  }
  return branch
}
