/// `config/serve.example.yaml`: which roles one process runs, each with a configuration file of its own.
struct ServeConfiguration {
  /// In the order in which they start.
  let roles: [ConfiguredRole]
  /// Where the process itself logs; a role's lines go where that role's configuration says.
  let log: LogConfiguration

  static func read(_ path: String) throws -> ServeConfiguration {
    try ServeConfiguration(ConfigurationFile(path))
  }

  init(_ file: ConfigurationFile) throws {
    let root = try file.root.mapping(keys: Role.all.map(\.name) + ["log"])
    roles = try Role.all.compactMap { role in
      try root[optional: role.name].map { ConfiguredRole(role: role, path: try file.path($0)) }
    }
    guard !roles.isEmpty else {
      let names = Role.all.map { "'\($0.name)'" }.joined(separator: ", ")
      throw file.root.invalid("at least one of these expected: \(names)")
    }
    log = try LogConfiguration(root[optional: "log"], in: file)
  }
}
