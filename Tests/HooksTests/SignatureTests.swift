import Foundation
import Hooks
import MessageFormat
import Testing

/// Signatures that other programs have made: GitHub's public vector, and Python's hmac.
@Suite struct SignatureTests {
  private static let body = Array(
    (#"{"ref":"refs/heads/main","before":"6113728f27ae82c7b1a177c8d03f9e96e0adf246","#
      + #""after":"0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c"}"#).utf8)
  private static let new = "e09ada7299433a1eef1d47f55105c61b15e0183efc0824101dfc268330e1cf78"
  private static let old = "01155aa91624fe3c331df406c9ccfd890fde7f4ffa1d768b7441f339eb59fece"
  private static let signingToken = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
  private static let signed = "EzxMe2XmgYDjpFT2MuzuumdY03wKqys8QhcIAY8qPNU="
  private static let now = Timestamp(milliseconds: 1_790_000_000_000)

  private static func secrets(_ texts: String..., for host: HookHost) throws -> [HookSecret] {
    try texts.map { try #require(HookSecret(Array($0.utf8), for: host)) }
  }

  private static func request(
    _ headers: [String: String], _ body: [UInt8] = body
  ) -> HookRequest {
    HookRequest(
      headers: HookHeaders(headers.map { (name: $0.key, value: $0.value) }), body: body)
  }

  @Test func `GitHub's own vector is taken`() throws {
    let request = Self.request(
      [
        "X-Hub-Signature-256":
          "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
      ], Array("Hello, World!".utf8))
    let secrets = try Self.secrets("It's a Secret to Everybody\n", for: .github)
    #expect(HookHost.github.verifies(request, by: secrets, now: Self.now))
  }

  @Test(arguments: [
    (HookHost.github, "X-Hub-Signature-256", "sha256="),
    (.generic, "X-Hub-Signature-256", "sha256="),
    (.bitbucketCloud, "X-Hub-Signature", "sha256="),
    (.bitbucketDataCenter, "X-Hub-Signature", "sha256="), (.gitea, "X-Gitea-Signature", ""),
    (.gitea, "X-Hub-Signature-256", "sha256="), (.forgejo, "X-Forgejo-Signature", ""),
    (.forgejo, "X-Gitea-Signature", ""),
  ])
  func `a signature by any active secret is taken, and no other`(
    host: HookHost, header: String, prefix: String
  ) throws {
    let both = try Self.secrets("new-secret-0123456789", "old-secret-0123456789", for: host)
    func isTaken(_ value: String, _ secrets: [HookSecret], _ body: [UInt8] = Self.body) -> Bool {
      host.verifies(Self.request([header: value], body), by: secrets, now: Self.now)
    }
    #expect(isTaken(prefix + Self.new, both))
    #expect(isTaken(prefix + Self.old, both))
    #expect(isTaken(prefix + Self.new.uppercased(), both))
    #expect(!isTaken(prefix + Self.old, Array(both.prefix(1))))
    #expect(!isTaken(prefix + Self.new, both, Self.body + [0x20]))
    #expect(!isTaken(prefix + Self.new, []))
    for wrong in [
      "", prefix, "sha1=" + Self.new, prefix + Self.new.dropLast(), prefix + Self.new + "00",
      prefix + String(repeating: "0", count: 64), prefix + String(repeating: "g", count: 64),
      "s", "sha256", "sha256=" + prefix + Self.new, " " + prefix + Self.new,
    ] where wrong != prefix + Self.new {
      #expect(!isTaken(wrong, both), "\(wrong)")
    }
    #expect(!host.verifies(Self.request([:]), by: both, now: Self.now))
  }

  @Test func `an empty signature of Gitea's is none`() throws {
    let secrets = try Self.secrets("new-secret-0123456789", for: .gitea)
    let empty = Self.request(["X-Gitea-Signature": "", "X-Gogs-Signature": ""])
    #expect(!HookHost.gitea.verifies(empty, by: secrets, now: Self.now))
    #expect(!HookHost.forgejo.verifies(empty, by: secrets, now: Self.now))
  }

  // MARK: - GitLab

  private static func signedHeaders(_ signature: String = "v1," + signed) -> [String: String] {
    [
      "webhook-id": "3f9c1b2e-7c1f-4a52-9d1e-0c9a5b6d7e8f", "webhook-timestamp": "1790000000",
      "webhook-signature": signature,
    ]
  }

  @Test func `GitLab's plain token is the secret itself`() throws {
    let secrets = try Self.secrets("first-token-0123", "second-token-0123\n", for: .gitlab)
    for token in ["first-token-0123", "second-token-0123"] {
      #expect(
        HookHost.gitlab.verifies(
          Self.request(["X-Gitlab-Token": token]), by: secrets, now: Self.now))
    }
    for token in ["", "first-token-012", "first-token-01234", "third-token-0123"] {
      #expect(
        !HookHost.gitlab.verifies(
          Self.request(["X-Gitlab-Token": token]), by: secrets, now: Self.now), "\(token)")
    }
  }

  @Test func `GitLab's signing token signs id, time and body`() throws {
    let secrets = try Self.secrets(Self.signingToken, for: .gitlab)
    func isTaken(_ headers: [String: String], _ body: [UInt8] = Self.body, at: UInt64 = 0) -> Bool {
      HookHost.gitlab.verifies(
        Self.request(headers, body), by: secrets,
        now: Timestamp(milliseconds: Self.now.milliseconds + at * 1_000))
    }
    #expect(isTaken(Self.signedHeaders()))
    #expect(isTaken(Self.signedHeaders("v1,AAAA v1,\(Self.signed)")))
    #expect(isTaken(Self.signedHeaders(), at: 300))
    #expect(!isTaken(Self.signedHeaders(), at: 301))
    #expect(!isTaken(Self.signedHeaders(), Self.body + [0x0a]))
    #expect(!isTaken(Self.signedHeaders("v2,\(Self.signed)")))
    #expect(!isTaken(Self.signedHeaders(Self.signed)))
    #expect(!isTaken(Self.signedHeaders("v1,")))
    for (name, value) in [
      ("webhook-id", "another"), ("webhook-timestamp", "1790000001"),
      ("webhook-timestamp", "-9223372036854775808"), ("webhook-timestamp", "x"),
    ] {
      #expect(!isTaken(Self.signedHeaders().merging([name: value]) { $1 }), "\(name)")
    }
  }

  @Test func `a time ahead by more than five minutes is refused`() throws {
    let secrets = try Self.secrets(Self.signingToken, for: .gitlab)
    for (seconds, isTaken) in [(UInt64(300), true), (301, false)] {
      let now = Timestamp(milliseconds: Self.now.milliseconds - seconds * 1_000)
      #expect(
        HookHost.gitlab.verifies(Self.request(Self.signedHeaders()), by: secrets, now: now)
          == isTaken)
    }
  }

  @Test func `where a signing token is configured a plain token is not enough`() throws {
    let secrets = try Self.secrets(Self.signingToken, "plain-token-0123", for: .gitlab)
    let plain = Self.request(["X-Gitlab-Token": "plain-token-0123"])
    #expect(!HookHost.gitlab.verifies(plain, by: secrets, now: Self.now))
    let itself = Self.request(["X-Gitlab-Token": Self.signingToken])
    #expect(!HookHost.gitlab.verifies(itself, by: secrets, now: Self.now))
    #expect(
      HookHost.gitlab.verifies(Self.request(Self.signedHeaders()), by: secrets, now: Self.now))
  }

  @Test func `what is no secret is not taken for one`() {
    for text in ["", "\n", " \t\r\n", String(repeating: "a", count: 4_097), "whsec_", "whsec_%%%"] {
      #expect(HookSecret(Array(text.utf8), for: .gitlab) == nil, "\(text.prefix(10))")
    }
    // Elsewhere it is a secret like any other.
    #expect(HookSecret(Array("whsec_%%%".utf8), for: .github) != nil)
  }

  // MARK: - Deliveries

  @Test func `a delivery has the id that its host gives it`() {
    for (host, header) in [
      (HookHost.github, "X-GitHub-Delivery"), (.gitlab, "Idempotency-Key"),
      (.gitlab, "webhook-id"), (.bitbucketCloud, "X-Request-UUID"),
      (.bitbucketDataCenter, "X-Request-Id"), (.gitea, "X-Gitea-Delivery"),
      (.forgejo, "X-Forgejo-Delivery"), (.forgejo, "X-Gitea-Delivery"),
    ] {
      #expect(host.deliveryID(of: Self.request([header: "id-1"])) == "id-1", "\(host)")
      #expect(host.deliveryID(of: Self.request([header: ""])) == nil)
      let long = String(repeating: "x", count: 201)
      #expect(host.deliveryID(of: Self.request([header: long])) == nil)
    }
  }

  @Test func `an id that several requests of GitLab share does not make them one`() {
    let ids = [Self.body, Self.body + [0x20], Self.body].map {
      HookHost.gitlab.deliveryID(of: Self.request(["X-Gitlab-Event-UUID": "id-1"], $0))
    }
    #expect(ids[0] == ids[2] && ids[0] != ids[1] && ids[0] != nil)
  }
}
