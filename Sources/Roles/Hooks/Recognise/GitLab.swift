import Crypto
import MessageFormat

/// GitLab: docs.gitlab.com, "Webhooks" and "Webhook events". Signing tokens are those of standardwebhooks.com.
enum GitLab: HostRules {
  static let takesForms = false

  static func verify(_ request: HookRequest, _ secrets: [HookSecret], now: Timestamp) -> Bool {
    let signing = secrets.filter { $0.kind == .signing }
    // A plain token is weaker: where a signing token is configured, it is not enough.
    guard signing.isEmpty else { return verifySignature(request, signing, now: now) }
    guard let token = request.headers["x-gitlab-token"] else { return false }
    return secrets.reduce(false) { $1.isEqual(to: token) || $0 }
  }

  private static func verifySignature(
    _ request: HookRequest, _ secrets: [HookSecret], now: Timestamp
  ) -> Bool {
    guard let header = request.headers["webhook-signature"],
      let id = request.headers["webhook-id"],
      let time = request.headers["webhook-timestamp"], let seconds = Int64(time)
    else { return false }
    let ahead = seconds.subtractingReportingOverflow(Int64(clamping: now.milliseconds / 1_000))
    guard !ahead.overflow, ahead.partialValue.magnitude <= HookLimits.signatureSkewSeconds.magnitude
    else { return false }
    let signed = Array("\(id).\(time).".utf8) + request.body
    // Several, where the host's own secret changes.
    return header.split(separator: " ").prefix(10).reduce(false) { isMade, part in
      guard part.hasPrefix("v1,") else { return isMade }
      return Signature.isMade(by: secrets, over: signed, Base64Text.bytes(part.dropFirst(3)))
        || isMade
    }
  }

  static func deliveryID(of request: HookRequest) -> String? {
    if let id = request.headers["idempotency-key"] ?? request.headers["webhook-id"] { return id }
    // Older versions: one event may cause several requests under one id, which differ in their bodies.
    return request.headers["x-gitlab-event-uuid"].map { id in
      let digest = SHA256.hash(data: request.body).prefix(8)
      return id + ":" + digest.map { String($0, radix: 16) }.joined(separator: ".")
    }
  }

  static func recognise(
    _ payload: JSONValue, _ headers: HookHeaders
  ) throws(PayloadFlaw) -> Recognition {
    // A system hook has one header for all events.
    let kind = payload["event_name"].string ?? payload["object_kind"].string
    guard let event = kind ?? headers["x-gitlab-event"] else { throw .missing("object_kind") }
    switch event {
    case "push", "tag_push", "Push Hook", "Tag Push Hook":
      guard let ref = payload["ref"].string else { throw .missing("ref") }
      return .push(PushEvent(try claim(payload), refs: [RefName.checked(ref)]))
    case "repository_update":
      let changes = payload["changes"].array ?? []
      let refs = changes.map { $0["ref"].string } + (payload["refs"].array ?? []).map(\.string)
      return .push(PushEvent(try claim(payload), refs: refs.map { $0.flatMap(RefName.checked) }))
    default: return .ignored(event)
    }
  }

  private static func claim(_ payload: JSONValue) throws(PayloadFlaw) -> RepositoryClaim {
    let (project, repository) = (payload["project"], payload["repository"])
    let claim = RepositoryClaim(
      addresses: project.strings(
        "git_http_url", "git_ssh_url", "http_url", "ssh_url", "web_url", "url")
        + repository.strings("git_http_url", "git_ssh_url", "url", "homepage"),
      path: project["path_with_namespace"].string)
    guard claim != RepositoryClaim() else { throw .missing("project") }
    return claim
  }
}
