import Hooks
import Signer

/// `config/hooks.example.yaml`.
struct HooksConfiguration {
  private static let keys = [
    "listen", "tls", "state", "signer", "hooks", "trusted-proxies", "requests-per-second", "log",
  ]

  let settings: HookSettings
  let log: LogConfiguration

  /// Reads no secret; that they are there is checked when the role is made.
  static func read(_ path: String) throws -> HooksConfiguration {
    let file = try ConfigurationFile(path)
    let root = try file.root.mapping(keys: keys)
    let rate = root[optional: "requests-per-second"]
    let requests = try rate?.count() ?? HookLimits.requestsPerSecondDefault
    if let rate, requests > HookLimits.requestsPerSecondMax {
      throw rate.invalid("over the limit of \(HookLimits.requestsPerSecondMax)")
    }
    let settings = HookSettings(
      listen: try listen(try root["listen"], in: file),
      tls: try root[optional: "tls"].map { try tls($0, in: file) },
      state: try file.path(try root["state"]),
      signer: try root[optional: "signer"].map { try file.path($0) } ?? SignerSocket.pathDefault,
      hooks: try hooks(try root["hooks"], in: file),
      trustedProxies: try root[optional: "trusted-proxies"]?.list().map(network) ?? [],
      requestsPerSecond: requests)
    return HooksConfiguration(
      settings: settings, log: try LogConfiguration(root[optional: "log"], in: file))
  }

  // MARK: - Where

  private static func listen(
    _ node: ConfigurationNode, in file: ConfigurationFile
  ) throws -> HookSettings.Listen {
    let prefix = "unix:"
    if node.isMapping {
      let socket = try SocketConfiguration.read(node, in: file)
      return .socket(path: socket.path, group: socket.group, mode: socket.mode)
    }
    let text = try node.string()
    if text.hasPrefix(prefix) {
      let path = file.path(text: String(text.dropFirst(prefix.count)))
      return .socket(path: path, group: nil, mode: 0o660)
    }
    guard let colon = text.lastIndex(of: ":"),
      let port = UInt16(text[text.index(after: colon)...])
    else { throw node.invalid("ADDRESS:PORT or unix:PATH expected, found '\(text)'") }
    var host = String(text[..<colon])
    if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
    guard !host.isEmpty else {
      throw node.invalid("ADDRESS:PORT expected, as in 127.0.0.1:8480; 0.0.0.0 is all addresses")
    }
    return .address(host: host, port: port)
  }

  private static func tls(
    _ node: ConfigurationNode, in file: ConfigurationFile
  ) throws -> HookSettings.TLS {
    let mapping = try node.mapping(keys: ["certificate", "key"])
    return HookSettings.TLS(
      certificate: try file.path(try mapping["certificate"]),
      key: try file.path(try mapping["key"]))
  }

  private static func network(_ node: ConfigurationNode) throws -> Network {
    let text = try node.string()
    guard let network = Network(text) else {
      throw node.invalid("an address or a network expected, as in 10.0.0.0/8, found '\(text)'")
    }
    return network
  }

  // MARK: - Hooks

  private static func hooks(
    _ node: ConfigurationNode, in file: ConfigurationFile
  ) throws -> [HookSettings.Hook] {
    let hooks = try node.list().map { try hook($0, in: file) }
    guard (1...HookLimits.hookCountMax).contains(hooks.count) else {
      throw node.invalid("1 to \(HookLimits.hookCountMax) hooks expected")
    }
    var paths: Set<String> = []
    for hook in hooks where !paths.insert(hook.path).inserted {
      throw node.invalid("two hooks have the path '\(hook.path)'")
    }
    return hooks
  }

  private static func hook(
    _ node: ConfigurationNode, in file: ConfigurationFile
  ) throws -> HookSettings.Hook {
    let mapping = try node.mapping(keys: ["path", "host", "secret-files", "remote", "insecure"])
    let host = try mapping["host"].choice(HookHost.self)
    let remote = try remoteName(try mapping["remote"])
    guard host == .generic || !RepositoryAddress(remote.text).host.isEmpty else {
      throw try mapping["remote"].invalid(
        "the repository's address at the code host expected, as in git@github.com:acme/shop.git")
    }
    let isInsecure = try mapping[optional: "insecure"]?.flag() ?? false
    let secrets = try mapping[optional: "secret-files"]?.list().map { try file.path($0) } ?? []
    guard secrets.isEmpty == isInsecure else {
      throw isInsecure
        ? node.invalid("'secret-files' and 'insecure: true' exclude each other")
        : node.invalid(
          "'secret-files' must name a secret: without one, anyone could make the signer fetch "
            + "('insecure: true' takes that)")
    }
    return HookSettings.Hook(
      path: try path(try mapping["path"]), host: host, secretFiles: secrets, remote: remote)
  }

  private static func path(_ node: ConfigurationNode) throws -> String {
    let text = try node.string()
    let isFine = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != 0x3f && $0 != 0x23 }
    guard text.hasPrefix("/"), isFine, text.utf8.count <= HookLimits.pathByteCountMax else {
      throw node.invalid("the path of an address expected, as in /hooks/shop")
    }
    return text
  }
}
