import Crypto
import Foundation
import GRDB
import Mail
import MessageFormat
import Reporting
import TestSupport
import Testing
import WebClient

@Suite struct NoticeTests {
  private static let all = Set(NoticeKind.allCases)

  private func mail(
    _ receiver: SMTPReceiver, _ names: String..., digestSeconds: UInt64 = 1
  ) throws -> NoticeRoute {
    NoticeRoute(
      Self.all,
      .mail(
        MailRoute(
          to: try names.map { try MailAddress("\($0)@example.org") },
          from: try MailAddress("distro@example.org"),
          by: .server(try MailServer("smtp://127.0.0.1:\(receiver.port)"), nil))),
      digestSeconds: digestSeconds)
  }

  private func webhook(_ receiver: HTTPReceiver, _ fleet: FleetFixture) throws -> NoticeRoute {
    NoticeRoute(
      Self.all,
      .webhook(
        try WebAddress(receiver.url + "/in"), secretFile: try fleet.secret("It's a secret"),
        WebSettings()), digestSeconds: 1)
  }

  @Test func `a storm of a thousand machines is one mail`() async throws {
    let receiver = try await onThread { try SMTPReceiver() }
    let names = (1...1_000).map { "web\($0)" }
    let fleet = try await FleetFixture(names)
    try fleet.push(FleetFixture.revision(1))
    try await fleet.start(notices: [mail(receiver, "ops", digestSeconds: 10)])
    try fleet.apply(Array(names.dropLast(2)))
    try fleet.refuse("web999")
    try fleet.refuse("web1000", "unknown-signer")
    let isThere = try await becomesTrueLater { try !receiver.mails().isEmpty }
    try #require(isThere)
    try await fleet.stop()
    let mails = try receiver.mails()
    #expect(mails.count == 1)
    let subject = try #require(mails[0].text(of: "Subject"))
    #expect(subject.hasPrefix("distro: 2 refused, 998 applied: main of git@example.org"))
    #expect(mails[0].parts[0].contains("and 948 more"))
    #expect(!mails[0].content.contains("secret.txt"))
  }

  @Test func `a receiver that is refused keeps the mail from no other`() async throws {
    let receiver = try await onThread { try SMTPReceiver() }
    let fleet = try await FleetFixture(["web1"])
    try fleet.push(FleetFixture.revision(1))
    try await fleet.start(notices: [mail(receiver, "refused", "ops")])
    try fleet.apply("web1")
    let log = fleet.log
    let isSent = try await becomesTrueLater { log.count(of: "notice-sent") == 1 }
    #expect(isSent, "\(log.lines)")
    #expect(try receiver.mails().map(\.to) == [["ops@example.org"]])
    #expect(log.lines.contains { $0.contains("notice-lost") && $0.contains("550") })
  }

  @Test func `a webhook is signed and comes again under the same number`() async throws {
    let receiver = try HTTPReceiver { _ in .cut }
    let fleet = try await FleetFixture(["web1"])
    let route = try webhook(receiver, fleet)
    try fleet.push(FleetFixture.revision(1))
    try await fleet.start(notices: [route])
    try fleet.apply("web1")
    let isAsked = try await becomesTrueLater { receiver.requests.count == 1 }
    try #require(isAsked)
    // As after a kill between the receiver's work and our note of it.
    try await fleet.stop()
    receiver.answer { _ in .answer(200) }
    try await fleet.start(notices: [route])
    let log = fleet.log
    let isSent = try await becomesTrueLater { log.count(of: "notice-sent") == 1 }
    #expect(isSent, "\(log.lines)")
    let numbers = Set(receiver.requests.map { $0.headers["x-distro-delivery"] })
    #expect(numbers.count == 1 && Set(receiver.requests.map(\.body)).count == 1)
    let key = SymmetricKey(data: Data("It's a secret".utf8))
    for request in receiver.requests {
      let code = HMAC<SHA256>.authenticationCode(for: Data(request.body.utf8), using: key)
      let text = "sha256=" + code.map { String(format: "%02x", Int($0)) }.joined()
      #expect(request.headers["x-hub-signature-256"] == text)
    }
  }

  @Test func `what waits for a way that is configured no more is discarded with a word`()
    async throws
  {
    let receiver = try HTTPReceiver { _ in .cut }
    let fleet = try await FleetFixture(["web1"])
    let route = try webhook(receiver, fleet)
    try fleet.push(FleetFixture.revision(1))
    try await fleet.start(notices: [route])
    try fleet.apply("web1")
    let isAsked = try await becomesTrueLater { receiver.requests.count == 1 }
    try #require(isAsked)
    let other = try HTTPReceiver()
    try await fleet.start(notices: [try webhook(other, fleet)])
    let line = fleet.log.lines.first { $0.contains("notices-discarded") }
    #expect(line?.contains("\"events\": 1") == true, "\(fleet.log.lines)")
    #expect(line?.contains(route.name) == true)
    // Once.
    try await fleet.start(notices: [try webhook(other, fleet)])
    #expect(fleet.log.count(of: "notices-discarded") == 1)
  }

  @Test func `what was told is not told again after a restart`() async throws {
    let receiver = try HTTPReceiver()
    let fleet = try await FleetFixture(["web1"])
    let route = try webhook(receiver, fleet)
    try fleet.push(FleetFixture.revision(1))
    try await fleet.start(notices: [route])
    try fleet.refuse("web1")
    let log = fleet.log
    let isTold = try await becomesTrueLater { log.count(of: "notice-sent") == 1 }
    try #require(isTold)
    try await fleet.start(notices: [route])
    try fleet.push(FleetFixture.revision(2))
    try fleet.apply("web1")
    let isMore = try await becomesTrueLater {
      receiver.requests.map(\.body).contains { $0.contains("recovered") }
    }
    #expect(isMore)
    let bodies = receiver.requests.map(\.body)
    #expect(bodies.filter { $0.contains("\"kind\":\"refused\"") }.count == 1, "\(bodies)")
  }

  @Test func `a machine that is silent is unseen and then heard again`() async throws {
    let receiver = try HTTPReceiver()
    let fleet = try await FleetFixture(["web1"])
    let route = try webhook(receiver, fleet)
    try fleet.push(FleetFixture.revision(1))
    try fleet.apply("web1")
    try await fleet.start(notices: [route], staleSeconds: 1)
    try fleet.beat(after: 60)
    let isUnseen = try await becomesTrueLater {
      receiver.requests.contains { $0.body.contains("unseen") }
    }
    try #require(isUnseen)
    try fleet.beat(after: 0)
    let isHeard = try await becomesTrueLater {
      receiver.requests.contains { $0.body.contains("recovered") }
    }
    #expect(isHeard)
  }

  @Test func `a clock that is set back makes no machine unseen`() async throws {
    let receiver = try HTTPReceiver()
    let fleet = try await FleetFixture(["web1"])
    try fleet.push(FleetFixture.revision(1))
    try fleet.apply("web1")
    try fleet.beat(after: -31_536_000)
    try await fleet.start(notices: [try webhook(receiver, fleet)], staleSeconds: 1)
    try fleet.push(FleetFixture.revision(2))
    try fleet.apply("web1")
    let isTold = try await becomesTrueLater {
      receiver.requests.contains { $0.body.contains("\"kind\":\"applied\"") }
    }
    #expect(isTold && !receiver.requests.contains { $0.body.contains("unseen") })
  }

  @Test func `a machine that does not come along is stale`() async throws {
    let receiver = try HTTPReceiver()
    let fleet = try await FleetFixture(["web1"])
    let route = try webhook(receiver, fleet)
    try fleet.push(FleetFixture.revision(1))
    try await fleet.start(notices: [route], staleSeconds: 1)
    let isStale = try await becomesTrueLater {
      receiver.requests.contains { $0.body.contains("\"kind\":\"stale\"") }
    }
    #expect(isStale)
  }

  // MARK: - Words of others

  private static let hostile =
    "a\r\nBcc: x@y\u{202E} <!channel> <b>&\"' ```@everyone https://evil\u{7}"

  private func notice() throws -> Notice {
    let stream = StreamName(
      remote: try RemoteName("git@example.org:<script>.git"),
      branch: try #require(BranchName("feature/<img>&'`@here")))
    let event = NoticeEvent(
      .refused, machine: Self.hostile, on: stream, at: FleetFixture.revision(1),
      commit: Self.hostile, reason: Self.hostile, time: Timestamp(milliseconds: 1))
    return Notice([event], id: "n", at: 1)
  }

  @Test func `hostile words are one harmless line`() throws {
    let text = NoticeText(try notice())
    #expect(!text.subject.contains { $0.isNewline })
    #expect(text.plain.split(whereSeparator: \.isNewline).count == 1)
    #expect(!text.plain.unicodeScalars.contains { $0 == "\u{202E}" || $0 == "\u{7}" })
  }

  @Test func `hostile words are no HTML`() throws {
    let html = NoticeText(try notice()).html
    #expect(!html.contains("<b>") && !html.contains("<script>") && !html.contains("<img>"))
    #expect(html.contains("&lt;b&gt;&amp;&quot;&#39;"))
  }

  @Test func `hostile words mention nobody in a chat`() throws {
    let body = try NoticeText(try notice()).slack()
    let object = try JSONSerialization.jsonObject(with: Data(body)) as? [String: String]
    let text = try #require(object?["text"])
    #expect(!text.contains("<") && !text.contains(">"))
    #expect(!text.contains("@everyone") && !text.contains("@here"))
    #expect(text.components(separatedBy: "```").count == 3)
  }
}
