import Foundation
import GRDB
import GitModel
import Reporting
import Synchronization
import TestSupport
import Testing
import WebClient

@Suite struct StatusTests {
  private let receiver: HTTPReceiver

  init() throws {
    receiver = try HTTPReceiver { _ in .answer(201, body: #"{"id": 7}"#) }
  }

  private func expect(
    _ receiver: HTTPReceiver, shows lines: String...,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let wanted = Set(lines)
    let isShown = try await becomesTrueLater { wanted.isSubset(of: try receiver.lines()) }
    let lines = try receiver.lines()
    #expect(isShown, "\(lines)", sourceLocation: sourceLocation)
  }

  // MARK: - What hosts are told

  @Test func `a push is pending and then applied everywhere`() async throws {
    let fleet = try await FleetFixture()
    try await fleet.start(statuses: [fleet.target(.gitea, receiver.url)])
    try fleet.push(FleetFixture.revision(1))
    try await expect(
      receiver, shows: "distro pending", "distro/web1 pending", "distro/web2 pending")
    try fleet.apply("web1", "web2")
    try await expect(
      receiver, shows: "distro success", "distro/web1 success", "distro/web2 success")
    #expect(receiver.requests.count == 6)
    let texts = try receiver.requests.map { try $0.field("description") }
    #expect(texts.contains("0/2 applied") && texts.contains("2/2 applied"))
    #expect(texts.contains("applied 000000000000 sequence 1"))
    // The fleet's line is told first of those that wait.
    #expect(try receiver.lines().first == "distro pending")
  }

  @Test func `a refusal is a failure with its name and nothing of what the machine says`()
    async throws
  {
    let fleet = try await FleetFixture()
    try await fleet.start(statuses: [fleet.target(.forgejo, receiver.url)])
    try fleet.push(FleetFixture.revision(1))
    try fleet.apply("web1")
    try fleet.refuse("web2", "local-changes", detail: "secret.txt was changed")
    try await expect(receiver, shows: "distro failure", "distro/web2 failure")
    let texts = try receiver.requests.compactMap { try $0.field("description") }
    #expect(texts.contains("1/2 applied, 1 refused: local-changes"))
    #expect(texts.contains("refused: local-changes"))
    #expect(!receiver.requests.contains { $0.body.contains("secret") })
  }

  @Test func `what a host knows is not told again, not after a restart either`() async throws {
    let fleet = try await FleetFixture(["web1"])
    let target = try fleet.target(.gitea, receiver.url)
    try fleet.push(FleetFixture.revision(1))
    try await fleet.start(statuses: [target])
    try await expect(receiver, shows: "distro pending", "distro/web1 pending")
    try await requireLog(fleet) { lines in lines.count { $0.contains("status-sent") } == 2 }
    try await fleet.stop()
    try fleet.apply("web1")
    try await fleet.start(statuses: [target])
    try await expect(receiver, shows: "distro success", "distro/web1 success")
    try await requireLog(fleet) { lines in lines.count { $0.contains("status-sent") } == 4 }
    try await fleet.start(statuses: [target])
    try fleet.push(FleetFixture.revision(2))
    // What comes now is told behind all that would come again.
    try await expect(receiver, shows: "distro pending", "distro/web1 pending")
    let isMore = try await becomesTrueLater { [receiver] in receiver.requests.count == 6 }
    let lines = try receiver.lines()
    #expect(isMore, "\(lines)")
    #expect(Set(lines.prefix(4)).count == 4)
  }

  @Test func `a revision that another one overtakes comes to an end`() async throws {
    let fleet = try await FleetFixture()
    try await fleet.start(statuses: [fleet.target(.gitea, receiver.url)])
    try fleet.push(FleetFixture.revision(1))
    try await expect(receiver, shows: "distro pending", "distro/web2 pending")
    try fleet.apply("web1")
    try await expect(receiver, shows: "distro/web1 success")
    try fleet.push(FleetFixture.revision(2))
    try await expect(receiver, shows: "distro error", "distro/web2 error")
    let ends = try receiver.requests.filter { try $0.field("state") == "error" }
    let first = FleetFixture.revision(1).hex
    #expect(ends.allSatisfy { $0.target.hasSuffix("/statuses/" + first) })
    #expect(try ends.allSatisfy { try $0.field("description")?.hasPrefix("superseded by") == true })
  }

  @Test(arguments: CodeHost.allCases)
  func `each host is asked as its API is documented`(_ host: CodeHost) async throws {
    let fleet = try await FleetFixture([String(repeating: "w", count: 40)])
    let target = try fleet.target(host, receiver.url, link: "https://example.org/fleet")
    try fleet.push(FleetFixture.revision(1))
    try await fleet.start(statuses: [target])
    let isTold = try await becomesTrueLater { [receiver] in receiver.requests.count == 2 }
    try #require(isTold)
    let (fleetLine, machine) = (receiver.requests[0], receiver.requests[1])
    let revision = FleetFixture.revision(1).hex
    let expected =
      switch host {
      case .github: "/repos/acme/shop/statuses/\(revision)"
      case .gitlab: "/api/v4/projects/acme%2Fshop/statuses/\(revision)"
      case .bitbucketCloud: "/2.0/repositories/acme/shop/commit/\(revision)/statuses/build"
      case .bitbucketDataCenter:
        "/rest/api/latest/projects/acme/repos/shop/commits/\(revision)/builds"
      case .gitea, .forgejo: "/api/v1/repos/acme/shop/statuses/\(revision)"
      }
    #expect(fleetLine.target == expected && fleetLine.method == "POST")
    #expect(fleetLine.headers["content-type"] == "application/json")
    let pending = try fleetLine.field("state")
    switch host {
    case .github:
      #expect(fleetLine.headers["authorization"] == "Bearer token-1")
      #expect(fleetLine.headers["accept"] == "application/vnd.github+json")
      #expect(fleetLine.headers["x-github-api-version"] == "2022-11-28")
      #expect(pending == "pending")
    case .gitlab:
      #expect(fleetLine.headers["private-token"] == "token-1")
      #expect(try fleetLine.field("ref") == "main")
      #expect(pending == "pending")
    case .bitbucketCloud, .bitbucketDataCenter:
      #expect(fleetLine.headers["authorization"] == "Bearer token-1")
      #expect(try fleetLine.field("url") == "https://example.org/fleet")
      #expect(pending == "INPROGRESS")
      let key = try #require(try machine.field("key"))
      #expect(key.utf8.count <= 40 && key.hasPrefix("distro-"))
      #expect(host != .bitbucketDataCenter || fleetLine.headers["x-atlassian-token"] == "no-check")
    case .gitea, .forgejo:
      #expect(fleetLine.headers["authorization"] == "token token-1")
      #expect(try fleetLine.field("target_url") == "https://example.org/fleet")
      #expect(pending == "pending")
    }
  }

  @Test func `a deployment is made once and then told of`() async throws {
    let fleet = try await FleetFixture(["web1"], branch: "release/1")
    try fleet.push(FleetFixture.revision(1))
    try await fleet.start(statuses: [
      fleet.target(.github, receiver.url, machines: false, deployments: true)
    ])
    let isPending = try await becomesTrueLater { [receiver] in receiver.requests.count == 3 }
    try #require(isPending)
    try fleet.apply("web1")
    let isDone = try await becomesTrueLater { [receiver] in receiver.requests.count == 5 }
    try #require(isDone)
    let calls = receiver.requests.filter { $0.target.contains("deployments") }
    #expect(
      calls.map(\.target) == [
        "/repos/acme/shop/deployments", "/repos/acme/shop/deployments/7/statuses",
        "/repos/acme/shop/deployments/7/statuses",
      ])
    #expect(try calls[0].field("environment") == "distro/release/1")
    #expect(try calls[0].field("ref") == FleetFixture.revision(1).hex)
    #expect(try calls.dropFirst().map { try $0.field("state") } == ["in_progress", "success"])
  }

  // MARK: - Hosts that say no

  @Test func `a revoked token is named and a new one is taken at once`() async throws {
    receiver.answer { request in
      request.headers["authorization"] == "token token-2" ? .answer(201) : .answer(401)
    }
    let fleet = try await FleetFixture(["web1"])
    let token = try fleet.secret("token-1")
    try fleet.push(FleetFixture.revision(1))
    try await fleet.start(statuses: [
      fleet.target(.gitea, receiver.url, token: token, machines: false)
    ])
    try await requireLog(fleet) { lines in
      lines.contains { $0.contains("status-delayed") && $0.contains("401") }
    }
    try Data("token-2\n".utf8).write(to: URL(fileURLWithPath: token))
    let isTaken = try await becomesTrueLater { [receiver] in
      receiver.requests.last?.headers["authorization"] == "token token-2"
    }
    #expect(isTaken)
    #expect(!fleet.log.lines.contains { $0.contains("token-1") || $0.contains("token-2") })
  }

  @Test func `a token that others can read is not used`() async throws {
    let fleet = try await FleetFixture(["web1"])
    let token = try fleet.folder.file("token-1\n", mode: 0o644)
    try fleet.push(FleetFixture.revision(1))
    try await fleet.start(statuses: [fleet.target(.gitea, receiver.url, token: token)])
    try await requireLog(fleet) { lines in
      lines.contains { $0.contains("is open to group or others") }
    }
    #expect(receiver.requests.isEmpty)
  }

  @Test(arguments: [403, 404, 422, 400, 307])
  func `a line that is refused delays no other`(_ status: Int) async throws {
    receiver.answer { request in
      request.body.contains("distro/web1")
        ? .answer(
          status, headers: ["Location": "https://example.org/"],
          body: #"{"message": "No commit found"}"#)
        : .answer(201)
    }
    let fleet = try await FleetFixture()
    try fleet.push(FleetFixture.revision(1))
    try await fleet.start(statuses: [fleet.target(.gitea, receiver.url)])
    try await expect(
      receiver, shows: "distro pending", "distro/web1 pending", "distro/web2 pending")
    try await requireLog(fleet) { lines in
      lines.contains { $0.contains("status-refused") || $0.contains("status-delayed") }
    }
    #expect(fleet.log.lines.contains { $0.contains("answered \(status)") })
  }

  @Test func `a host that breaks is asked until it works, and tells its last word`() async throws {
    let replies: [HTTPReceiver.Reply] = [.answer(500), .cut, .answer(502)]
    let number = Mutex(0)
    receiver.answer { _ in
      number.withLock { number in
        defer { number += 1 }
        return number < replies.count ? replies[number] : .answer(201)
      }
    }
    let fleet = try await FleetFixture(["web1"])
    let chat = try HTTPReceiver()
    try fleet.push(FleetFixture.revision(1))
    try await fleet.start(
      statuses: [fleet.target(.gitea, receiver.url, machines: false)],
      notices: [
        NoticeRoute(
          [.hostUnreachable, .recovered], .slack(urlFile: fleet.secret(chat.url), WebSettings()),
          digestSeconds: 1)
      ], staleSeconds: 1)
    let isResumed = try await becomesTrueLater { [log = fleet.log] in
      log.lines.contains { $0.contains("status-resumed") }
    }
    #expect(isResumed, "\(fleet.log.lines)")
    #expect(receiver.requests.count == 4)
    let isTold = try await becomesTrueLater {
      let text = chat.requests.map(\.body).joined()
      return text.contains("host-unreachable") && text.contains("recovered")
    }
    #expect(isTold)
  }

  @Test func `a host that hangs delays no other and no end`() async throws {
    let silent = try HTTPReceiver { _ in .silent }
    let fleet = try await FleetFixture(["web1"])
    let other = try fleet.target(.github, receiver.url, machines: false)
    try fleet.push(FleetFixture.revision(1))
    try await fleet.start(statuses: [fleet.target(.gitea, silent.url, machines: false), other])
    try await expect(receiver, shows: "distro pending")
    let isAsked = try await becomesTrueLater { silent.requests.count == 1 }
    try #require(isAsked)
    let start = ContinuousClock.now
    try await fleet.stop()
    #expect(ContinuousClock.now - start < .seconds(15))
  }

  @Test func `a line that changes for ever stops before the host's limit`() async throws {
    let fleet = try await FleetFixture(["web1"])
    let target = try fleet.target(.github, receiver.url, machines: false)
    try fleet.push(FleetFixture.revision(1))
    try await fleet.start(statuses: [target])
    try await expect(receiver, shows: "distro pending")
    try await requireLog(fleet) { lines in lines.contains { $0.contains("status-sent") } }
    try await fleet.stop()
    try fleet.reporting { try $0.execute(sql: "UPDATE status SET sentCount = 990") }
    try fleet.apply("web1")
    try await fleet.start(statuses: [target])
    try await requireLog(fleet) { lines in
      lines.contains { $0.contains("status-refused") && $0.contains("too many") }
    }
    #expect(receiver.requests.count == 1)
  }
}
