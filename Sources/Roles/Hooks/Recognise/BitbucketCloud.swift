import MessageFormat

/// Bitbucket Cloud: support.atlassian.com, "Event payloads" and "Manage webhooks".
enum BitbucketCloud: HostRules {
  static let takesForms = false
  static let push = "repo:push"

  /// SHA-256, under the name that other hosts have for SHA-1.
  static func verify(_ request: HookRequest, _ secrets: [HookSecret], now: Timestamp) -> Bool {
    Signature.isMade(
      by: secrets, over: request.body, Signature.prefixed(request.headers["x-hub-signature"]))
  }

  static func deliveryID(of request: HookRequest) -> String? { request.headers["x-request-uuid"] }

  static func recognise(
    _ payload: JSONValue, _ headers: HookHeaders
  ) throws(PayloadFlaw) -> Recognition {
    guard let event = headers["x-event-key"] else { throw .missing("X-Event-Key") }
    if event == "diagnostics:ping" { return .test }
    guard event == push else { return .ignored(event) }
    guard let changes = payload["push"]["changes"].array else { throw .missing("push.changes") }
    let repository = payload["repository"]
    // The address of its page is that of a clone, but for `.git`.
    let claim = RepositoryClaim(
      addresses: [repository["links"]["html"]["href"].string],
      path: repository["full_name"].string)
    guard claim != RepositoryClaim() else { throw .missing("repository") }
    return .push(PushEvent(claim, refs: changes.map(ref)))
  }

  /// `new` is null where a ref was deleted, `old` where it was made.
  private static func ref(of change: JSONValue) -> String? {
    for side in [change["new"], change["old"]] {
      if let name = side["name"].string {
        return RefName.checked(name, type: side["type"].string)
      }
    }
    return nil
  }
}
