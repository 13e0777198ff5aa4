import ArgumentParser
import Diagnostics

struct Status: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Shows the fleet, the checkouts of this machine, the mailboxes of a relay, or webhooks that wait.",
    discussion: """
      With a signer's configuration: every stream and machine, its revision, how far it is behind, and what was not \
      sent. With an applier's: every checkout, and whether it is up to date. With a relay's: what waits for whom. With \
      that of `distro hooks`: what was received, and what the signer has not taken. With that of `distro serve`: all of its roles. Changes nothing; exits with 2 where something needs attention.

        distro status --config config/signer.yaml
        distro status --config config/web1.yaml
      """)

  @Option(help: "The configuration of any role.")
  var config: String

  @Flag(help: "Prints JSON.")
  var json = false

  func run() throws {
    let file = try ConfigurationFile(config)
    let only = Role.of(file)
    let roles =
      try only.map { [ConfiguredRole(role: $0, path: config)] }
      ?? ServeConfiguration(file).roles
    var parts: [(name: String, status: RoleStatus)] = []
    for configured in roles { parts.append((configured.role.name, try status(of: configured))) }
    Terminal.print(
      json
        ? try StatusReport.encoded(
          only == nil ? StatusReport.Output.roles(parts) : .one(parts[0].status))
        : parts.map(\.status.text).joined(separator: "\n\n"))
    for fault in parts.flatMap(\.status.faults) { ErrorReport(fault).print() }
    if let fault = parts.flatMap(\.status.faults).first { throw ExitCode(ExitStatus(of: fault)) }
    if let exit = parts.map(\.status.exit).first(where: { $0 != .done }) { throw ExitCode(exit) }
  }

  private func status(of configured: ConfiguredRole) throws -> RoleStatus {
    guard Role.of(try ConfigurationFile(configured.path))?.name == configured.role.name else {
      throw ConfigurationError.unreadable(
        file: configured.path, reason: "not the configuration of a role '\(configured.role.name)'")
    }
    do {
      return try configured.role.status(configured.path)
    } catch let error as any OperatorError where error.code == .stateRights {
      // Unknown, which is neither good nor stale.
      return RoleStatus(
        text: "\(configured.role.name): unknown: not readable by you", json: UnknownStatus(),
        exit: .fault, faults: [error])
    }
  }
}

/// Instead of what a role says, where it may not be looked at.
private struct UnknownStatus: Encodable {
  let unknown = "not readable by you"
}

extension StatusReport {
  /// What `status --json` prints: one role's part as it is, or an object with a key for each.
  enum Output: Encodable {
    case one(RoleStatus)
    case roles([(name: String, status: RoleStatus)])

    private struct Key: CodingKey {
      let stringValue: String
      var intValue: Int? { nil }
      init(stringValue: String) { self.stringValue = stringValue }
      init?(intValue: Int) { nil }
    }

    func encode(to encoder: any Encoder) throws {
      switch self {
      case .one(let status):
        if let json = status.json {
          try json.encode(to: encoder)
        } else {
          var container = encoder.singleValueContainer()
          try container.encodeNil()
        }
      case .roles(let parts):
        var container = encoder.container(keyedBy: Key.self)
        for (name, status) in parts {
          if let json = status.json {
            try json.encode(to: container.superEncoder(forKey: Key(stringValue: name)))
          }
        }
      }
    }
  }
}
