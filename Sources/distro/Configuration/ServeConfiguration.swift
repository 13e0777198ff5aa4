/// `config/serve.example.yaml`: which roles one process runs, each with a configuration file of its own.
struct ServeConfiguration {
  /// In the order in which they start.
  let files: [(role: RoleName, path: String)]
  /// Where the process itself logs; a role's lines go where that role's configuration says.
  let log: LogConfiguration

  static let roles = RoleName.allCases.map(\.rawValue)

  static func read(_ path: String) throws -> ServeConfiguration {
    try ServeConfiguration(ConfigurationFile(path))
  }

  init(_ file: ConfigurationFile) throws {
    let root = try file.root.mapping(keys: Self.roles + ["log"])
    files = try RoleName.allCases.compactMap { name in
      try root[optional: name.rawValue].map { (name, try file.path($0)) }
    }
    guard !files.isEmpty else {
      throw file.root.invalid("at least one of 'relay', 'signer' and 'applier' expected")
    }
    log = try LogConfiguration(root[optional: "log"], in: file)
  }
}
