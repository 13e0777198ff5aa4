package import MessageFormat

/// A kind of code host, by the name that a configuration has for it.
package enum HookHost: String, CaseIterable, Sendable {
  case github
  case gitlab
  case bitbucketCloud = "bitbucket-cloud"
  case bitbucketDataCenter = "bitbucket-data-center"
  case gitea
  case forgejo
  case generic

  var rules: any HostRules.Type {
    switch self {
    case .github: GitHub.self
    case .gitlab: GitLab.self
    case .bitbucketCloud: BitbucketCloud.self
    case .bitbucketDataCenter: BitbucketDataCenter.self
    case .gitea: Gitea.self
    case .forgejo: Forgejo.self
    case .generic: Generic.self
    }
  }

  /// Whether a holder of one of the secrets has made the request, compared in constant time.
  package func verifies(
    _ request: HookRequest, by secrets: [HookSecret], now: Timestamp
  ) -> Bool {
    rules.verify(request, secrets, now: now)
  }

  /// What is the same when the host sends an event again; `nil`: the host does not say, or at length.
  package func deliveryID(of request: HookRequest) -> String? {
    rules.deliveryID(of: request).flatMap {
      $0.utf8.count <= HookLimits.deliveryIDByteCountMax ? $0 : nil
    }
  }

  /// Which host the headers are of; `nil`: they do not say. Forgejo also sends Gitea's headers, and both GitHub's: the
  /// order matters.
  package static func sender(of headers: HookHeaders) -> HookHost? {
    if headers["x-forgejo-event"] != nil { return .forgejo }
    if headers["x-gitea-event"] != nil { return .gitea }
    if headers["x-gitlab-event"] != nil { return .gitlab }
    if headers["x-github-event"] != nil { return .github }
    guard let event = headers["x-event-key"] else { return nil }
    return headers["x-hook-uuid"] != nil || event == BitbucketCloud.push
      ? .bitbucketCloud : .bitbucketDataCenter
  }
}

/// What is known of one kind of host. Pure functions: they read no file, no socket and no clock.
protocol HostRules {
  /// GitHub and those like it can send the payload as a field of a form.
  static var takesForms: Bool { get }

  /// Whether a holder of one of the secrets has made these bytes, compared in constant time.
  static func verify(_ request: HookRequest, _ secrets: [HookSecret], now: Timestamp) -> Bool

  /// What is the same when the host sends an event again; `nil`: the host does not say.
  static func deliveryID(of request: HookRequest) -> String?

  /// Only of a request that has been verified.
  static func recognise(
    _ payload: JSONValue, _ headers: HookHeaders
  ) throws(PayloadFlaw) -> Recognition
}
