import Foundation
import Host
import Programs
import TestSupport
import Testing
import Upstreams

/// Real servers of both kinds, with the right credential, a wrong one and none.
@Suite(.serialized) struct TransportTests {
  private let fixture: UpstreamFixture
  private static let token = "s3cret/töken with 'quotes' $HOME"

  init() throws { fixture = try UpstreamFixture() }

  private func server(
    _ change: (inout HTTPGitServer.Options) -> Void = { _ in }
  ) throws -> HTTPGitServer {
    var options = HTTPGitServer.Options()
    change(&options)
    return try HTTPGitServer(root: fixture.folder.path("host"), in: fixture.folder, options)
  }

  private func token(_ text: String) throws -> UpstreamSettings.Token {
    .init(file: SecretFile(try fixture.secret("token", text + "\n")), user: "git")
  }

  // MARK: - HTTP

  @Test func `a token opens the repository`() async throws {
    let server = try server { $0.token = Self.token }
    let token = try token(Self.token)
    let mirror = try fixture.mirror(server.url("shop.git")) { $0.token = token }
    #expect(try await UpstreamFixture.fetch(mirror)["refs/heads/main"] == fixture.work.id())
    try fixture.commit(["a": "2\n"])
    #expect(try await UpstreamFixture.fetch(mirror)["refs/heads/main"] == fixture.work.id())
  }

  @Test func `a wrong token, none, and one for another user are told apart from an outage`()
    async throws
  {
    let server = try server { $0.token = Self.token }
    let wrong = try token("another")
    let mirror = try fixture.mirror(server.url("shop.git")) { $0.token = wrong }
    let error = await failure { try await UpstreamFixture.fetch(mirror) }
    guard case .credentialRejected(_, .token(let path), let detail)? = error else {
      Issue.record("\(error as Any)")
      return
    }
    #expect(path == wrong.file.path && !detail.contains("another"))
    #expect(error?.hint?.contains(path) == true)
    let none = try fixture.mirror(server.url("shop.git"))
    guard
      case .credentialRejected(_, .none, _)? = await failure(of: {
        try await UpstreamFixture.fetch(none)
      })
    else {
      Issue.record("it was taken, or refused for another reason")
      return
    }
    // A new token needs no new start.
    _ = try token(Self.token)
    try await UpstreamFixture.fetch(mirror)
  }

  @Test func `a token file that others can read is refused`() async throws {
    let path = try fixture.secret("open", "token\n", mode: 0o640)
    let mirror = try fixture.mirror("https://127.0.0.1:1/shop.git") {
      $0.token = .init(file: SecretFile(path), user: "git")
    }
    let error = await refusal(of: mirror)
    #expect(error == .secret(.open(path, mode: 0o640)) && error?.code == .keyRights)
    #expect(error?.hint == "chmod 600 \(path)")
    for text in ["", "\n", "a\u{1b}b\n"] {
      _ = try fixture.secret("open", text)
      #expect(await refusal(of: mirror)?.code == .keyInvalid)
    }
    try FileManager.default.removeItem(atPath: path)
    #expect(await refusal(of: mirror)?.code == .keyMissing)
  }

  @Test func `a certificate is trusted where its authority is named`() async throws {
    let server = try server {
      $0.token = "t"
      $0.isTLS = true
    }
    let token = try token("t")
    let stranger = try fixture.mirror(server.url("shop.git")) { $0.token = token }
    let error = await refusal(of: stranger)
    #expect(error?.code == .upstreamCertificate, "\(error as Any)")
    #expect(error?.hint?.contains("ca-file") == true)
    let mirror = try fixture.mirror(server.url("shop.git")) {
      $0.token = token
      $0.caFile = server.certificate
    }
    #expect(try await UpstreamFixture.fetch(mirror)["refs/heads/main"] == fixture.work.id())
  }

  @Test func `a missing repository, a server's fault and nothing at all have names`() async throws {
    let server = try server()
    let missing = try fixture.mirror(server.url("none.git"))
    #expect(await refusal(of: missing)?.code == .upstreamMissing)
    let broken = try self.server { $0.status = 503 }
    let fault = try await refusal(of: fixture.mirror(broken.url("shop.git")))
    #expect(fault?.code == .upstreamUnreachable, "\(fault as Any)")
    let forbidden = try self.server { $0.status = 403 }
    let denied = try await refusal(of: fixture.mirror(forbidden.url("shop.git")))
    #expect(denied?.code == .upstreamCredential, "\(denied as Any)")
    for url in ["http://127.0.0.1:1/x", "https://127.0.0.1:1/x", "https://no.such.host.invalid/x"] {
      let error = try await refusal(of: fixture.mirror(url))
      #expect(error?.code == .upstreamUnreachable, "\(error as Any)")
    }
  }

  @Test func `everything goes through a proxy`() async throws {
    let server = try server { options in
      options.isTLS = true
      options.token = "token"
    }
    let proxy = try ConnectProxy(in: fixture.folder)
    let token = try token("token")
    let mirror = try fixture.mirror(server.url("shop.git")) {
      $0.proxy = proxy.url
      $0.caFile = server.certificate
      $0.token = token
    }
    #expect(try await UpstreamFixture.fetch(mirror)["refs/heads/main"] == fixture.work.id())
    #expect(proxy.log.contains("CONNECT 127.0.0.1:\(server.port)\n"))
    #expect(!proxy.log.contains("token"))
  }

  @Test func `a proxy is used and named`() async throws {
    let mirror = try fixture.mirror("https://example.org/shop.git") {
      $0.proxy = "http://127.0.0.1:1"
    }
    let error = await refusal(of: mirror)
    #expect(error?.code == .upstreamUnreachable, "\(error as Any)")
    #expect(error?.description.contains("127.0.0.1") == true, "\(error as Any)")
  }

  // MARK: - ssh

  @Test(.enabled(if: SSHServer.isAllowed, "there is no sshd"))
  func `a key opens the repository and nothing else`() async throws {
    let server = try SSHServer(in: fixture.folder)
    let mirror = try fixture.mirror(server.url(fixture.bare.path)) {
      $0.keyFile = SecretFile(server.key)
      $0.knownHostsFile = server.knownHosts
    }
    #expect(
      try await UpstreamFixture.fetch(mirror)["refs/heads/main"] == fixture.work.id(),
      "\(server.log)")
    let missing = try fixture.mirror(server.url("/none.git")) {
      $0.keyFile = SecretFile(server.key)
      $0.knownHostsFile = server.knownHosts
    }
    let error = await refusal(of: missing)
    #expect(error?.code == .upstreamMissing, "\(error as Any)")
  }

  @Test(.enabled(if: SSHServer.isAllowed, "there is no sshd"))
  func `a wrong key, an unknown host and a host with another key are told apart`() async throws {
    let server = try SSHServer(in: fixture.folder)
    func error(key: String, hosts: String) async throws -> UpstreamError? {
      let mirror = try fixture.mirror(server.url(fixture.bare.path)) {
        $0.keyFile = SecretFile(key)
        $0.knownHostsFile = hosts
      }
      return await refusal(of: mirror)
    }
    let wrong = try await error(key: server.strangeKey, hosts: server.knownHosts)
    guard case .credentialRejected(_, .key(server.strangeKey), _)? = wrong else {
      Issue.record("\(wrong as Any)")
      return
    }
    let unknown = try await error(key: server.key, hosts: server.emptyHosts)
    guard case .hostKeyUnknown(_, knownHosts: server.emptyHosts)? = unknown else {
      Issue.record("\(unknown as Any)")
      return
    }
    #expect(unknown?.hint?.contains("ssh-keyscan") == true)
    let changed = try await error(key: server.key, hosts: server.changedHosts)
    guard case .hostKeyChanged? = changed else {
      Issue.record("\(changed as Any)")
      return
    }
    #expect(try await error(key: server.key, hosts: "/none")?.code == .keyMissing)
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: server.key)
    #expect(try await error(key: server.key, hosts: server.knownHosts)?.code == .keyRights)
    server.end()
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: server.key)
    let away = try await error(key: server.key, hosts: server.knownHosts)
    #expect(away?.code == .upstreamUnreachable, "\(away as Any)")
  }

  // MARK: - Deadlines and secrets

  /// The numbers of all processes whose command line or environment holds the text.
  private func processes(with text: String, in file: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { name in
      guard Int(name) != nil,
        let data = FileManager.default.contents(atPath: "/proc/\(name)/\(file)")
      else { return false }
      return String(decoding: data, as: UTF8.self).contains(text)
    }
  }

  @Test(arguments: ["http", "ssh"])
  func `an upstream that says nothing is given up, and no process is left`(scheme: String)
    async throws
  {
    let listener = try RawListener()
    let url = "\(scheme)://127.0.0.1:\(listener.port)/shop-\(UUID().uuidString).git"
    let mirror = try fixture.mirror(url) { $0.timeoutSeconds = 2 }
    let begin = ContinuousClock.now
    let error = await refusal(of: mirror)
    #expect(error?.code == .upstreamUnreachable, "\(error as Any)")
    #expect(.now - begin < .seconds(30))
    #expect(
      try await onThread { try becomesTrue { try processes(with: url, in: "cmdline").isEmpty } })
  }

  @Test func `a stop ends what git does`() async throws {
    let listener = try RawListener()
    let stop = try ProgramStop()
    let url = "http://127.0.0.1:\(listener.port)/shop-\(UUID().uuidString).git"
    let mirror = try fixture.mirror(url, stop: stop)
    async let isSeen = onThread {
      defer { stop.set() }
      return try becomesTrue { try !processes(with: url, in: "cmdline").isEmpty }
    }
    let error = await refusal(of: mirror)
    #expect(try await isSeen)
    #expect(error == .program(.stopped(program: "git")))
    #expect(
      try await onThread { try becomesTrue { try processes(with: url, in: "cmdline").isEmpty } })
  }

  /// While git waits for an answer: what other users of the machine can read, and what this one can.
  @Test func `the token is in no command line`() async throws {
    let server = try server { $0.token = "tok-\(UUID().uuidString)" }
    let secret = "tok-\(UUID().uuidString)"
    let token = try token(secret)
    let listener = try RawListener()
    let stop = try ProgramStop()
    let silent = try fixture.mirror("http://127.0.0.1:\(listener.port)/x", stop: stop) {
      $0.token = token
    }
    async let isHidden = onThread {
      defer { stop.set() }
      guard try becomesTrue({ try processes(with: secret, in: "environ").count > 1 }) else {
        return false
      }
      return try processes(with: secret, in: "cmdline").isEmpty
    }
    #expect(await refusal(of: silent) != nil)
    #expect(try await isHidden)
    let wrong = try fixture.mirror(server.url("shop.git")) { $0.token = token }
    let error = await refusal(of: wrong)
    #expect(error?.code == .upstreamCredential && !"\(error as Any)".contains(secret))
    #expect(!server.log.contains(secret))
  }
}
