import Host
import Signer
import Upstreams

/// Where a signer's repository comes from: `path:`, or `upstream:` with what it takes to fetch from there.
enum SourceConfiguration {
  static let keys = [
    "path", "upstream", "key-file", "known-hosts-file", "token-file", "user", "ca-file", "proxy",
    "plain-http", "timeout-seconds", "poll-seconds", "lfs-url", "lfs-token-file", "lfs-user",
  ]
  private static let upstreamKeys = Set(keys).subtracting(["path", "upstream", "poll-seconds"])
  /// Code hosts take any name beside a token; some want another one.
  private static let userDefault = "git"
  private static let secondsMax = 86_400
  /// A repository of this machine costs next to nothing to look at.
  private static let localPollSeconds: UInt64 = 1

  private enum PlainHTTP: String, CaseIterable { case refuse, allow }

  /// `state`: of the signer, which mirrors lie below.
  static func read(
    _ mapping: ConfigurationMapping, state: String, in file: ConfigurationFile
  ) throws -> (source: RepositorySource, pollSeconds: UInt64?) {
    if let upstream = mapping[optional: "upstream"] {
      if let path = mapping[optional: "path"] {
        throw path.invalid("a repository has 'path:' or 'upstream:', not both")
      }
      return (
        .upstream(
          Mirror.Place(
            try settings(upstream, mapping, in: file), below: state + "/upstreams")),
        try poll(mapping, default: UpstreamSettings.pollSecondsDefault)
      )
    }
    let path = try file.path(try mapping["path"])
    for key in upstreamKeys.sorted() {
      if let node = mapping[optional: key] { throw node.invalid("is for 'upstream:'") }
    }
    return (.local(path: path), try poll(mapping, default: localPollSeconds))
  }

  private static func settings(
    _ node: ConfigurationNode, _ mapping: ConfigurationMapping, in file: ConfigurationFile
  ) throws -> UpstreamSettings {
    func secret(_ key: String) throws -> SecretFile? {
      try mapping[optional: key].map { SecretFile(try file.path($0)) }
    }
    do {
      var settings = UpstreamSettings(url: try UpstreamURL(try node.string()))
      settings.keyFile = try secret("key-file")
      settings.knownHostsFile = try mapping[optional: "known-hosts-file"].map { try file.path($0) }
      let user = try mapping[optional: "user"]?.string()
      settings.token = try secret("token-file").map {
        UpstreamSettings.Token(file: $0, user: user ?? userDefault)
      }
      if user != nil, settings.token == nil {
        throw node.invalid("'user:' goes with 'token-file:'")
      }
      try readLargeFiles(mapping, &settings, secret)
      settings.caFile = try mapping[optional: "ca-file"].map { try file.path($0) }
      settings.proxy = try mapping[optional: "proxy"]?.string()
      settings.allowsPlainHTTP =
        try mapping[optional: "plain-http"]?.choice(PlainHTTP.self) == .allow
      settings.timeoutSeconds =
        try seconds(mapping[optional: "timeout-seconds"]) ?? UpstreamSettings.timeoutSecondsDefault
      try settings.requireSense()
      return settings
    } catch let error as UpstreamError {
      throw node.invalid(error.message)
    }
  }

  private static func readLargeFiles(
    _ mapping: ConfigurationMapping, _ settings: inout UpstreamSettings,
    _ secret: (String) throws -> SecretFile?
  ) throws {
    let user = mapping[optional: "lfs-user"]
    let file = mapping[optional: "lfs-token-file"]
    guard let url = mapping[optional: "lfs-url"] else {
      if let node = file ?? user { throw node.invalid("goes with 'lfs-url:'") }
      return
    }
    settings.largeFileURL = try url.address().text
    if let user, file == nil { throw user.invalid("'lfs-user:' goes with 'lfs-token-file:'") }
    settings.largeFileToken = try secret("lfs-token-file").map {
      UpstreamSettings.Token(file: $0, user: try user?.string() ?? userDefault)
    }
  }

  /// `nil`: never.
  private static func poll(
    _ mapping: ConfigurationMapping, default standard: UInt64
  ) throws -> UInt64? {
    guard let node = mapping[optional: "poll-seconds"] else { return standard }
    if try node.string() == "never" { return nil }
    return try seconds(node)
  }

  private static func seconds(_ node: ConfigurationNode?) throws -> UInt64? {
    guard let node else { return nil }
    let seconds = try node.count()
    guard seconds <= secondsMax else { throw node.invalid("over the limit of \(secondsMax)") }
    return UInt64(seconds)
  }

  static func branches(_ node: ConfigurationNode) throws -> BranchPatterns {
    BranchPatterns(
      try node.list().map { entry in
        let text = try entry.string()
        guard let pattern = BranchPattern(text) else {
          throw entry.invalid(
            "'\(text)' is no branch, and no pattern of branches; tags and other refs are not carried"
          )
        }
        return pattern
      })
  }

  /// One upstream has one mirror, and what it takes to fetch it is the same for all its entries.
  static func requireAgreement(
    _ repositories: [SignerRepository], at node: ConfigurationNode
  ) throws {
    let places = repositories.compactMap { repository -> Mirror.Place? in
      if case .upstream(let place) = repository.source { place } else { nil }
    }
    for (_, places) in Dictionary(grouping: places, by: \.path) where Set(places).count > 1 {
      throw node.invalid(
        "\(places[0].settings.url) is named twice, with other files or settings")
    }
  }
}
