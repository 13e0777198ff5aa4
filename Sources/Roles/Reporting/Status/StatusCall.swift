import Crypto
import Foundation
import WebClient

/// The calls of each host's API, as values: nothing here is sent.
///
/// Sources: docs.github.com/rest/commits/statuses and /rest/deployments, docs.gitlab.com/api/commits and /api/deployments,
/// developer.atlassian.com/cloud/bitbucket/rest/api-group-commit-statuses, Bitbucket Data Center's REST API (builds),
/// Gitea's and Forgejo's /api/swagger.
struct StatusCall {
  /// Bitbucket's limit on a key.
  private static let keyByteCountMax = 40

  let target: StatusTarget

  /// `external`: the host's number of the deployment, which a first call has made.
  func request(for item: StatusItem, external: Int64?) throws -> WebRequest {
    guard item.key.kind != .deployment else { return try deployment(item, external) }
    let revision = item.key.revision.hex
    let state = target.host.name(of: item.state)
    var fields: [String: Any] = ["state": state, "description": item.text]
    let path: String
    switch target.host {
    case .github, .gitea, .forgejo:
      path = "/repos/\(project)/statuses/\(revision)"
      fields["context"] = item.key.context
      fields["target_url"] = target.link
    case .gitlab:
      path = "/projects/\(project)/statuses/\(revision)"
      fields["name"] = item.key.context
      fields["ref"] = item.branch.shortName
      fields["target_url"] = target.link
    case .bitbucketCloud:
      path = "/repositories/\(project)/commit/\(revision)/statuses/build"
      fields["key"] = Self.key(item.key.context)
      fields["name"] = item.key.context
      fields["url"] = target.link ?? "https://bitbucket.org/\(project)"
    case .bitbucketDataCenter:
      path = "/projects/\(part(0))/repos/\(part(1))/commits/\(revision)/builds"
      fields["key"] = Self.key(item.key.context)
      fields["name"] = item.key.context
      fields["url"] = target.link ?? target.api.origin
    }
    return try request(.post, path, fields)
  }

  /// A harmless question that needs the token, for `distro doctor`.
  func check() throws -> WebRequest {
    let path =
      switch target.host {
      case .github, .gitea, .forgejo: "/repos/\(project)"
      case .gitlab: "/projects/\(project)"
      case .bitbucketCloud: "/repositories/\(project)"
      case .bitbucketDataCenter: "/projects/\(part(0))/repos/\(part(1))"
      }
    return try request(.get, path, nil)
  }

  private func deployment(_ item: StatusItem, _ external: Int64?) throws -> WebRequest {
    let state = target.host.deploymentName(of: item.state)
    let revision = item.key.revision.hex
    switch (target.host, external) {
    case (.gitlab, nil):
      let fields: [String: Any] = [
        "environment": item.key.context, "sha": revision, "ref": item.branch.shortName,
        "tag": false, "status": state,
      ]
      return try request(.post, "/projects/\(project)/deployments", fields)
    case (.gitlab, let number?):
      return try request(.put, "/projects/\(project)/deployments/\(number)", ["status": state])
    case (_, nil):
      let fields: [String: Any] = [
        "ref": revision, "environment": item.key.context, "auto_merge": false,
        "required_contexts": [String](), "description": item.text,
      ]
      return try request(.post, "/repos/\(project)/deployments", fields)
    case (_, let number?):
      return try request(
        .post, "/repos/\(project)/deployments/\(number)/statuses",
        ["state": state, "description": item.text])
    }
  }

  private func request(
    _ method: WebRequest.Method, _ path: String, _ fields: [String: Any]?
  ) throws -> WebRequest {
    var headers: [WebRequest.Header] = [.init("Accept", "application/json")]
    switch target.host {
    case .github:
      headers = [
        .init("Accept", "application/vnd.github+json"),
        .init("X-GitHub-Api-Version", "2022-11-28"),
      ]
    case .bitbucketDataCenter: headers.append(.init("X-Atlassian-Token", "no-check"))
    default: break
    }
    var body: [UInt8]?
    if let fields {
      headers.append(.init("Content-Type", "application/json"))
      body = [UInt8](
        try JSONSerialization.data(
          withJSONObject: fields, options: [.sortedKeys, .withoutEscapingSlashes]))
    }
    return WebRequest(method, try target.api.appending(path), headers: headers, body: body)
  }

  private func part(_ number: Int) -> String {
    WebAddress.escaped(target.project.components[number])
  }

  private var project: String {
    let separator = target.host == .gitlab ? "%2F" : "/"
    return target.project.components.map { WebAddress.escaped($0) }.joined(separator: separator)
  }

  /// A longer one is replaced by its hash.
  static func key(_ context: String) -> String {
    guard context.utf8.count > keyByteCountMax else { return context }
    let hash = SHA256.hash(data: Array(context.utf8)).prefix(16)
    return "distro-" + hash.map { String(format: "%02x", Int($0)) }.joined()
  }
}
