import WebClient

/// Repositories at one host that are told with one token: what one of them is asked to wait for concerns all.
struct StatusGroup: Sendable {
  private struct Key: Hashable {
    let host: CodeHost
    let origin: String
    let tokenFile: String
    let web: WebSettings
  }

  /// Never empty.
  let targets: [StatusTarget]

  var host: CodeHost { targets[0].host }
  /// For logs and people.
  var name: String { targets[0].api.host }
  var server: Server { Server(kind: .codeHost, name: name) }
  /// What it is in the state: limits are a token's.
  var key: String { "\(targets[0].api.origin) \(targets[0].tokenFile)" }
  var web: WebSettings { targets[0].web }

  static func all(of targets: [StatusTarget]) -> [StatusGroup] {
    let groups = Dictionary(grouping: targets) {
      Key(host: $0.host, origin: $0.api.origin, tokenFile: $0.tokenFile, web: $0.web)
    }
    return groups.values.map { StatusGroup(targets: $0) }
  }
}
