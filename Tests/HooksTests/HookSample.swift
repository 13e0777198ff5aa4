import Foundation
import Hooks
import MessageFormat
import Testing

/// A payload in the shape of its host's public schema, with the headers that the host sends, and what is expected of it.
struct HookSample: CustomTestStringConvertible, Sendable {
  enum Outcome: Equatable, Sendable {
    case push([String])
    /// A push of which the host does not say what moved.
    case pushOfAnything
    case test
    case ignored
  }

  let file: String
  let host: HookHost
  let headers: [String: String]
  let outcome: Outcome
  var remote: String { Self.remotes[host] ?? "" }

  var testDescription: String { file }

  private static let remotes: [HookHost: String] = [
    .github: "git@github.com:acme/shop.git", .gitlab: "git@gitlab.com:acme/shop.git",
    .bitbucketCloud: "git@bitbucket.org:acme/shop.git",
    .bitbucketDataCenter: "ssh://git@bitbucket.acme.example:7999/acme/shop.git",
    .gitea: "ssh://git@gitea.acme.example:2222/acme/shop.git",
    .forgejo: "https://codeberg.org/acme/shop.git", .generic: "/srv/git/shop.git",
  ]

  static let all: [HookSample] =
    github + gitlab + bitbucketCloud + bitbucketDataCenter + gitea("gitea", .gitea)
    + gitea("forgejo", .forgejo) + generic

  private static let github = samples(
    .github, header: "X-GitHub-Event",
    ("github-push", "push", .push(["refs/heads/main"])),
    ("github-push-forced", "push", .push(["refs/heads/main"])),
    ("github-push-branch-created", "push", .push(["refs/heads/release/2.0"])),
    ("github-push-branch-deleted", "push", .push(["refs/heads/release/1.0"])),
    ("github-push-tag-created", "push", .push(["refs/tags/v2.0"])),
    ("github-push-tag-deleted", "push", .push(["refs/tags/v1.0"])),
    ("github-create-branch", "create", .push(["refs/heads/release/2.0"])),
    ("github-delete-tag", "delete", .push(["refs/tags/v1.0"])),
    ("github-ping", "ping", .test), ("github-ping-organization", "ping", .test),
    ("github-star", "star", .ignored))

  private static let gitlab = samples(
    .gitlab, header: "X-Gitlab-Event",
    ("gitlab-push", "Push Hook", .push(["refs/heads/main"])),
    ("gitlab-push-branch-created", "Push Hook", .push(["refs/heads/release/2.0"])),
    ("gitlab-push-branch-deleted", "Push Hook", .push(["refs/heads/release/1.0"])),
    ("gitlab-tag-push", "Tag Push Hook", .push(["refs/tags/v1.0.0"])),
    ("gitlab-tag-push-deleted", "Tag Push Hook", .push(["refs/tags/v1.0.0"])),
    (
      "gitlab-system-repository-update", "System Hook",
      .push(["refs/heads/main", "refs/heads/release/2.0", "refs/heads/main"])
    ),
    ("gitlab-system-push", "System Hook", .push(["refs/heads/main"])),
    ("gitlab-system-user-create", "System Hook", .ignored),
    ("gitlab-issue", "Issue Hook", .ignored))

  private static let several = [
    "refs/heads/main", "refs/heads/release/2.0", "refs/heads/release/1.0", "refs/tags/v2.0",
  ]

  private static let bitbucketCloud = samples(
    .bitbucketCloud, header: "X-Event-Key",
    ("bitbucket-cloud-push", "repo:push", .push(["refs/heads/main"])),
    ("bitbucket-cloud-push-several", "repo:push", .push(several)),
    ("bitbucket-cloud-push-tag-deleted", "repo:push", .push(["refs/tags/v1.0"])),
    ("bitbucket-cloud-push-forced", "repo:push", .push(["refs/heads/main"])),
    ("bitbucket-cloud-fork", "repo:fork", .ignored))

  private static let bitbucketDataCenter = samples(
    .bitbucketDataCenter, header: "X-Event-Key",
    ("bitbucket-data-center-refs-changed", "repo:refs_changed", .push(["refs/heads/main"])),
    ("bitbucket-data-center-refs-changed-several", "repo:refs_changed", .push(several)),
    ("bitbucket-data-center-no-links", "repo:refs_changed", .push(["refs/heads/main"])),
    ("bitbucket-data-center-broken-links", "repo:refs_changed", .push(["refs/heads/main"])),
    ("bitbucket-data-center-mirror", "mirror:repo_synchronized", .pushOfAnything),
    ("bitbucket-data-center-ping", "diagnostics:ping", .test),
    ("bitbucket-data-center-pull-request", "pr:opened", .ignored))

  private static func gitea(_ name: String, _ host: HookHost) -> [HookSample] {
    samples(
      host, header: host == .gitea ? "X-Gitea-Event" : "X-Forgejo-Event",
      ("\(name)-push", "push", .push(["refs/heads/main"])),
      ("\(name)-push-tag", "push", .push(["refs/tags/v2.0"])),
      ("\(name)-push-deleted", "push", .push(["refs/heads/old"])),
      ("\(name)-create", "create", .push(["refs/heads/release/2.0"])),
      ("\(name)-delete", "delete", .push(["refs/tags/v1.0"])),
      ("\(name)-issues", "issues", .ignored))
  }

  private static let generic = samples(
    .generic, header: "User-Agent",
    ("generic-push", "curl/7.88.1", .push(["refs/heads/main"])),
    ("generic-push-notes", "curl/7.88.1", .push([])))

  private static func samples(
    _ host: HookHost, header: String, _ rows: (String, String, Outcome)...
  ) -> [HookSample] {
    rows.map { file, event, outcome in
      var headers = ["Content-Type": "application/json", header: event]
      // Forgejo sends Gitea's headers as well, and both those of Gogs and GitHub.
      if host == .forgejo { headers["X-Gitea-Event"] = event }
      if host == .gitea || host == .forgejo {
        headers["X-Gogs-Event"] = event
        headers["X-GitHub-Event"] = event
      }
      if host == .bitbucketCloud {
        headers["X-Hook-UUID"] = "{d3a1b2c3-0000-4f6d-8f8a-6a7b8c9d0e1f}"
      }
      return HookSample(file: file, host: host, headers: headers, outcome: outcome)
    }
  }

  static func named(_ file: String) throws -> HookSample {
    try #require(all.first { $0.file == file })
  }

  static func body(_ file: String) throws -> [UInt8] {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    return Array(try Data(contentsOf: folder.appendingPathComponent("Payloads/\(file).json")))
  }

  func request() throws -> HookRequest {
    HookRequest(
      headers: HookHeaders(headers.map { (name: $0.key, value: $0.value) }),
      body: try Self.body(file))
  }
}
