import Applier
import Host
import Programs
import WebClient

/// What a checkout runs around its steps: `before-apply`, `after-apply`, `on-failure`, `health`.
enum CommandsConfiguration {
  static let keys = ["before-apply", "after-apply", "on-failure", "health"]

  private static let commandKeys = ["run", "shell", "timeout-seconds", "user", "group"]
  private static let timeoutSecondsDefault = 60
  private static let timeoutSecondsMax = 3_600
  private static let healthSecondsDefault = 30

  static func read(
    _ checkout: ConfigurationMapping, in file: ConfigurationFile
  ) throws -> CheckoutCommands {
    func command(_ key: String) throws -> ConfiguredProgram? {
      try checkout[optional: key].map { try program($0.mapping(keys: commandKeys), in: file) }
    }
    return CheckoutCommands(
      beforeApply: try command("before-apply"), afterApply: try command("after-apply"),
      onFailure: try command("on-failure"),
      health: try checkout[optional: "health"].map { try health($0, in: file) })
  }

  private static func health(
    _ node: ConfigurationNode, in file: ConfigurationFile
  ) throws -> HealthCheck {
    let mapping = try node.mapping(keys: commandKeys + ["get", "within-seconds", "on-failure"])
    let seconds = try mapping[optional: "within-seconds"]?.count() ?? healthSecondsDefault
    guard seconds <= timeoutSecondsMax else {
      throw try mapping["within-seconds"].invalid("over the limit of \(timeoutSecondsMax)")
    }
    return HealthCheck(
      try probe(mapping, node, in: file), deadline: .seconds(seconds),
      onFailure: try mapping[optional: "on-failure"]?.choice(HealthCheck.Failure.self) ?? .rollBack)
  }

  private static func probe(
    _ mapping: ConfigurationMapping, _ node: ConfigurationNode, in file: ConfigurationFile
  ) throws -> HealthCheck.Probe {
    guard let address = mapping[optional: "get"] else {
      guard mapping[optional: "run"] != nil else {
        throw node.invalid("exactly one of these expected: get, run")
      }
      return .run(try program(mapping, in: file))
    }
    if let key = commandKeys.first(where: { mapping[optional: $0] != nil }) {
      throw try mapping[key].invalid("is for a command, and 'get' asks a server instead")
    }
    let text = try address.string()
    do throws(WebError) {
      return .get(try WebAddress(text, allowsPlainHTTP: true))
    } catch {
      throw address.invalid("\(error)")
    }
  }

  private static func program(
    _ mapping: ConfigurationMapping, in file: ConfigurationFile
  ) throws -> ConfiguredProgram {
    let seconds = try mapping[optional: "timeout-seconds"]?.count() ?? timeoutSecondsDefault
    guard seconds <= timeoutSecondsMax else {
      throw try mapping["timeout-seconds"].invalid("over the limit of \(timeoutSecondsMax)")
    }
    let words = try words(of: mapping, in: file)
    return ConfiguredProgram(
      words[0], Array(words.dropFirst()), deadline: .seconds(seconds),
      account: try account(mapping))
  }

  /// A shell reads a command only where it is asked to.
  private static func words(
    of mapping: ConfigurationMapping, in file: ConfigurationFile
  ) throws -> [String] {
    let node = try mapping["run"]
    guard try mapping[optional: "shell"]?.flag() ?? false else { return try file.words(node) }
    guard !node.isList else {
      throw node.invalid("a text expected, which the shell reads: 'shell: true'")
    }
    return ["/bin/sh", "-c", try node.string()]
  }

  private static func account(_ mapping: ConfigurationMapping) throws -> ProgramAccount? {
    guard let user = mapping[optional: "user"] else {
      guard mapping[optional: "group"] == nil else {
        throw try mapping["group"].invalid("needs a 'user:'")
      }
      return nil
    }
    var group: UInt32?
    if let node = mapping[optional: "group"] {
      group = try SystemGroup.number(of: try node.string())
      guard group != nil else { throw node.invalid("this machine has no such group") }
    }
    let name = try user.string()
    do throws(ProgramError) {
      return try ProgramAccount(user: name, group: group)
    } catch {
      throw user.invalid("\(error)")
    }
  }
}
