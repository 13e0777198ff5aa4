import MessageFormat

/// Forgejo: forgejo.org/docs, "Webhooks". Gitea's payloads, under names of its own and Gitea's.
enum Forgejo: HostRules {
  static let takesForms = true

  static func verify(_ request: HookRequest, _ secrets: [HookSecret], now: Timestamp) -> Bool {
    Gitea.verify(
      request, secrets, headers: ["x-forgejo-signature", "x-gitea-signature", "x-gogs-signature"])
  }

  static func deliveryID(of request: HookRequest) -> String? {
    request.headers["x-forgejo-delivery"] ?? Gitea.deliveryID(of: request)
  }

  static func recognise(
    _ payload: JSONValue, _ headers: HookHeaders
  ) throws(PayloadFlaw) -> Recognition {
    try GitHub.recognise(payload, headers)
  }
}
