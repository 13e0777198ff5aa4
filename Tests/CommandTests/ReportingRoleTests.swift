import Foundation
import TestSupport
import Testing

/// `status:` and `notify:` of a signer, as `distro doctor` and `distro status` show them.
struct ReportingRoleTests {
  private let installation: Installation
  private let host: StatusHost
  private var folder: PipelineFolder { installation.folder }

  init() throws {
    installation = try Installation(
      .init(signer: "heartbeat-seconds: 1\nstale-after-seconds: 3"))
    host = try StatusHost()
    try installation.source.commit(["a": "1\n"])
    try secret("host.token", StatusHost.token)
  }

  private func secret(_ name: String, _ text: String, mode: Int = 0o600) throws {
    try folder.write(name, text + "\n")
    try FileManager.default.setAttributes(
      [.posixPermissions: mode], ofItemAtPath: folder.path(name))
  }

  private func configure(status: Bool = false, notify entries: String...) throws {
    if status {
      try folder.edit(
        "signer.yaml", "    recipients:",
        "    status: {host: github, api: \"\(host.url)\", token-file: host.token}\n    recipients:")
    }
    guard !entries.isEmpty else { return }
    let path = folder.path("signer.yaml")
    try folder.write(
      "signer.yaml",
      String(contentsOfFile: path, encoding: .utf8) + "\nnotify:\n"
        + entries.map { "  - {on: [refused], \($0)}\n" }.joined())
  }

  private func examine() throws -> Examination { try Examination(installation, "signer.yaml") }

  // MARK: - doctor

  @Test func `the doctor tries host and token, and shows nothing there`() throws {
    try configure(status: true)
    try examine().expect("ok", "status", "the host knows acme/shop and takes the token")
    try secret("host.token", "revoked")
    try examine().expect(
      "problem", "status", "answered 401: Bad credentials", advice: "write a new one into its file")
    try secret("host.token", StatusHost.token, mode: 0o644)
    try examine().expect("problem", "status", "is open to group or others", advice: "chmod 600")
    try secret("host.token", StatusHost.token)
    try folder.edit("signer.yaml", "host: github,", "host: github, project: acme/nothing,")
    try examine().expect("problem", "status", "answered 404", advice: "check 'project:'")
    try folder.edit("signer.yaml", host.url, "http://127.0.0.1:1")
    try examine().expect("problem", "status", "connection refused")
    #expect(host.lines(of: try installation.source.id("main").hex).isEmpty)
  }

  @Test func `the doctor tries every way of notices, and tells nobody anything`() throws {
    let mail = try SMTPReceiver(.none, user: "distro", password: "right")
    try secret("mail.password", "right")
    try secret("chat.url", "https://hooks.example.org/T0/B0/x")
    try secret("notices.secret", "secret")
    let server =
      "mail: {to: [ops@example.org], from: d@example.org, server: \"smtp://127.0.0.1:\(mail.port)\", "
      + "user: distro, password-file: mail.password}"
    try configure(
      notify: server, "slack: {url-file: chat.url}",
      "webhook: {url: \"\(host.url)/in\", secret-file: notices.secret}",
      "run: [/bin/true, \"with a word\"]",
      "mail: {to: [dev@example.org], from: d@example.org, sendmail: [/bin/cat]}")
    let good = try examine()
    good.expect("ok", "notice", "mail ops@example.org: 127.0.0.1 takes our login")
    good.expect("ok", "notice", "holds a URL of hooks.example.org")
    good.expect("ok", "notice", "its secret is ours alone")
    good.expect("ok", "notice", "run /bin/true with a word: can be run")
    good.expect("ok", "notice", "mail dev@example.org: /bin/cat can be run")
    try secret("mail.password", "wrong")
    try secret("chat.url", "http://example.org/")
    try secret("notices.secret", "secret", mode: 0o640)
    try folder.edit("signer.yaml", "/bin/true", "\(folder.path)/none")
    try folder.edit("signer.yaml", "/bin/cat", "\(folder.path)/chat.url")
    let bad = try examine()
    bad.expect(
      "problem", "notice", "user or password was refused", advice: "correct 'user:' and the file")
    bad.expect("problem", "notice", "no https: URL", advice: "write the URL")
    bad.expect("problem", "notice", "is open to group or others", advice: "chmod 600")
    bad.expect("problem", "notice", "/none: there is no such program", advice: "ls -l")
    bad.expect("problem", "notice", "/chat.url: there is no such program", advice: "ls -l")
    #expect(try mail.mails().isEmpty)
  }

  @Test(arguments: [
    ("run: [], digest-seconds: 1", "a program and 49 arguments at most"),
    ("run: /bin/true", "a list expected"),
    ("run: [/bin/true], slack: {url-file: x}", "exactly one of these expected"),
    (
      "mail: {to: [a@b.c], from: a@b.c, sendmail: [/bin/cat], server: \"smtp://localhost\"}",
      "is for a server, and 'sendmail' names a program instead"
    ),
    ("mail: {to: [a@b.c], from: a@b.c}", "server"),
    ("mail: {to: [], from: a@b.c, sendmail: [/bin/cat]}", "1 to 20 addresses"),
  ])
  func `a configuration that makes no sense is refused`(entry: String, words: String) throws {
    try configure(notify: entry)
    expectFailure(
      try installation.run("status", "--config", "signer.yaml"), status: 78, words)
  }

  // MARK: - status

  private func expectStatus(
    _ status: Int32, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    var result: ProgramResult?
    let isThere = try becomesTrue {
      result = try installation.run("status", "--config", "signer.yaml")
      let text = result?.sentence ?? ""
      return result?.status == status && words.allSatisfy { text.contains($0) }
    }
    #expect(
      isThere, "\(result?.status ?? -1) \(result?.text ?? "")", sourceLocation: sourceLocation)
  }

  @Test func `a machine that refuses, stays behind or is silent makes status end with two`()
    throws
  {
    let applier = try installation.startDaemon()
    try configure(notify: "run: [/bin/true]")
    try installation.use(.daemon)
    #expect(try installation.sendMain().status == 0)
    try expectStatus(0, "1 of 1 up to date")
    try installation.checkout.write("a", "by hand\n")
    try installation.source.commit(["a": "2\n"])
    #expect(try installation.sendMain().status == 2)
    try expectStatus(2, "refused", "local-changes")
    try installation.checkout.git("checkout", "-q", "a")
    try installation.source.commit(["a": "3\n"])
    #expect(try installation.sendMain().status == 0)
    try expectStatus(0, "1 of 1 up to date")
    // It has the newest revision, and then falls silent.
    #expect(applier.end().status == 0)
    try expectStatus(2, "does not answer")
    // Silent, and behind.
    try installation.source.commit(["a": "4\n"])
    #expect(try installation.sendMain(wait: 0).status == 0)
    try expectStatus(2, "does not answer")
    installation.signer?.expectEnd()
  }

  @Test func `an upstream that stays away is told and on the status until it is back`() throws {
    let applier = try installation.startDaemon()
    let away = folder.path("away.git")
    try folder.edit("signer.yaml", "path: shop", "upstream: file://\(away)")
    try folder.edit("signer.yaml", "poll-seconds: never", "poll-seconds: 1")
    let told = folder.path("told")
    let path = folder.path("signer.yaml")
    try folder.write(
      "signer.yaml",
      String(contentsOfFile: path, encoding: .utf8)
        + """

        notify:
          - on: [host-unreachable, recovered]
            run: [/bin/sh, -c, "echo \\"$DISTRO_EVENTS $DISTRO_SUBJECT\\" >>\(told)"]
            digest-seconds: 1
        """)
    try installation.use(.daemon)
    let signer = try installation.startSigner()
    func lines() -> [String] {
      String(decoding: FileManager.default.contents(atPath: told) ?? Data(), as: UTF8.self)
        .split(separator: "\n").map(String.init)
    }
    #expect(becomesTrue { lines().count == 1 }, "\(signer.log)")
    #expect(lines()[0].hasPrefix("host-unreachable distro: 1 host-unreachable"))
    try expectStatus(1, "not fetched: file://\(away)", "no such repository")
    try FileManager.default.moveItem(atPath: installation.source.path + "/.git", toPath: away)
    #expect(becomesTrue { lines().count == 2 }, "\(signer.log)")
    #expect(lines()[1].hasPrefix("recovered "))
    try expectStatus(0, "1 of 1 up to date")
    signer.expectEnd()
    #expect(applier.end().status == 0)
  }
}
