import MessageFormat

/// Bitbucket Data Center: confluence.atlassian.com, "Event payload" and "Manage webhooks".
enum BitbucketDataCenter: HostRules {
  static let takesForms = false

  static func verify(_ request: HookRequest, _ secrets: [HookSecret], now: Timestamp) -> Bool {
    BitbucketCloud.verify(request, secrets, now: now)
  }

  static func deliveryID(of request: HookRequest) -> String? { request.headers["x-request-id"] }

  static func recognise(
    _ payload: JSONValue, _ headers: HookHeaders
  ) throws(PayloadFlaw) -> Recognition {
    guard let event = headers["x-event-key"] else { throw .missing("X-Event-Key") }
    switch event {
    case "diagnostics:ping": return .test
    case "repo:refs_changed", "mirror:repo_synchronized":
      let repository = claim(payload["repository"])
      guard repository != RepositoryClaim() else { throw .missing("repository") }
      // A mirror leaves them out where there are too many.
      if payload["refLimitExceeded"].isTrue { return .push(PushEvent(repository, refs: [])) }
      guard let changes = payload["changes"].array else { throw .missing("changes") }
      return .push(PushEvent(repository, refs: changes.map(ref)))
    default: return .ignored(event)
    }
  }

  private static func ref(of change: JSONValue) -> String? {
    let name = change["refId"].string ?? change["ref"]["id"].string
    return name.flatMap(RefName.checked)
  }

  /// Addresses where they are as documented; `links` may be missing, or something else.
  private static func claim(_ repository: JSONValue) -> RepositoryClaim {
    let links = repository["links"]["clone"].array ?? []
    let key = repository["project"]["key"].string
    let slug = repository["slug"].string
    return RepositoryClaim(
      addresses: links.map { $0["href"].string },
      path: key.flatMap { key in slug.map { "\(key)/\($0)" } })
  }
}
