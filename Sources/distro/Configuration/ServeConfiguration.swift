/// `config/serve.example.yaml`: which roles one process runs, each with a configuration file of its own.
struct ServeConfiguration {
  let relay: String?
  let signer: String?
  let applier: String?
  /// Where the process itself logs; a role's lines go where that role's configuration says.
  let log: LogConfiguration

  static let roles = ["relay", "signer", "applier"]

  /// In the order in which they start.
  var files: [String] { [relay, signer, applier].compactMap { $0 } }

  static func read(_ path: String) throws -> ServeConfiguration {
    try ServeConfiguration(ConfigurationFile(path))
  }

  init(_ file: ConfigurationFile) throws {
    let root = try file.root.mapping(keys: Self.roles + ["log"])
    guard Self.roles.contains(where: { root[optional: $0] != nil }) else {
      throw file.root.invalid("at least one of 'relay', 'signer' and 'applier' expected")
    }
    relay = try root[optional: "relay"].map { try file.path($0) }
    signer = try root[optional: "signer"].map { try file.path($0) }
    applier = try root[optional: "applier"].map { try file.path($0) }
    log = try LogConfiguration(root[optional: "log"], in: file)
  }
}
