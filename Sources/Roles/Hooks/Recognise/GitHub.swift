import MessageFormat

/// GitHub, and GitHub Enterprise: docs.github.com, "Validating webhook deliveries" and "Webhook events and payloads".
enum GitHub: HostRules {
  static let takesForms = true

  static func verify(_ request: HookRequest, _ secrets: [HookSecret], now: Timestamp) -> Bool {
    // The other header of that name, without 256, is SHA-1.
    Signature.isMade(
      by: secrets, over: request.body, Signature.prefixed(request.headers["x-hub-signature-256"]))
  }

  static func deliveryID(of request: HookRequest) -> String? {
    request.headers["x-github-delivery"]
  }

  static func recognise(
    _ payload: JSONValue, _ headers: HookHeaders
  ) throws(PayloadFlaw) -> Recognition {
    // Gitea and Forgejo speak the same, and name the event by headers of their own as well.
    let names = ["x-forgejo-event", "x-gitea-event", "x-gogs-event", "x-github-event"]
    guard let event = names.lazy.compactMap({ headers[$0] }).first else {
      throw .missing("X-GitHub-Event")
    }
    switch event {
    case "ping": return .test
    case "push", "create", "delete":
      guard let ref = payload["ref"].string else { throw .missing("ref") }
      let repository = claim(payload["repository"])
      guard repository != RepositoryClaim() else { throw .missing("repository") }
      return .push(
        PushEvent(repository, refs: [RefName.checked(ref, type: payload["ref_type"].string)]))
    default: return .ignored(event)
    }
  }

  static func claim(_ repository: JSONValue) -> RepositoryClaim {
    RepositoryClaim(
      addresses: repository.strings(
        "clone_url", "ssh_url", "git_url", "html_url", "svn_url", "original_url"),
      path: repository["full_name"].string)
  }
}
