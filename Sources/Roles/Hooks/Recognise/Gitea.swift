import MessageFormat

/// Gitea: docs.gitea.com, "Webhooks". The payload is GitHub's; the signature has a header and a form of its own.
enum Gitea: HostRules {
  static let takesForms = true

  static func verify(_ request: HookRequest, _ secrets: [HookSecret], now: Timestamp) -> Bool {
    verify(request, secrets, headers: ["x-gitea-signature", "x-gogs-signature"])
  }

  static func verify(
    _ request: HookRequest, _ secrets: [HookSecret], headers: [String]
  ) -> Bool {
    // Without a secret, they are there and empty.
    let header = headers.lazy.compactMap { request.headers[$0] }.first
    let signature =
      header == nil
      ? Signature.prefixed(request.headers["x-hub-signature-256"]) : Signature.bare(header)
    return Signature.isMade(by: secrets, over: request.body, signature)
  }

  static func deliveryID(of request: HookRequest) -> String? {
    request.headers["x-gitea-delivery"] ?? request.headers["x-github-delivery"]
  }

  static func recognise(
    _ payload: JSONValue, _ headers: HookHeaders
  ) throws(PayloadFlaw) -> Recognition {
    try GitHub.recognise(payload, headers)
  }
}
