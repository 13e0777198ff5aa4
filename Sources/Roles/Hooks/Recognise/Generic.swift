import MessageFormat

/// Anything that signs `{"ref": …, "before": …, "after": …}` as GitHub does: a script, a host that is not known here.
enum Generic: HostRules {
  static let takesForms = false

  static func verify(_ request: HookRequest, _ secrets: [HookSecret], now: Timestamp) -> Bool {
    GitHub.verify(request, secrets, now: now)
  }

  static func deliveryID(of request: HookRequest) -> String? {
    request.headers["idempotency-key"] ?? request.headers["x-github-delivery"]
  }

  static func recognise(
    _ payload: JSONValue, _ headers: HookHeaders
  ) throws(PayloadFlaw) -> Recognition {
    if headers["x-github-event"] == "ping" { return .test }
    guard let ref = payload["ref"].string else { throw .missing("ref") }
    // It need not say of which repository it is: the hook's path and secret do.
    let repository = payload["repository"]
    let claim =
      repository.string.map { RepositoryClaim(addresses: [$0]) } ?? GitHub.claim(repository)
    return .push(PushEvent(claim, refs: [RefName.checked(ref)]))
  }
}
