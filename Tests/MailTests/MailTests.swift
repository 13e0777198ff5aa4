import Foundation
import Mail
import TestSupport
import Testing

@Suite struct MailTests {
  private static let login = MailSender.Login(user: "distro", password: "correct horse")

  private static func message(
    to: String = "ops@example.org", subject: String = "2 refused", text: String = "line\n",
    html: String = "<p>line</p>"
  ) throws -> MailMessage {
    MailMessage(
      identifier: "0123-abcd", from: try MailAddress("distro@example.org"),
      to: try MailAddress(to), at: 1_700_000_000, subject: subject, text: text, html: html)
  }

  private func send(
    _ message: MailMessage, by receiver: SMTPReceiver, _ url: String,
    login: MailSender.Login? = nil,
    startTLS: Bool? = nil, trusting: Bool = true
  ) async throws {
    let server = try MailServer(
      "\(url):\(receiver.port)", startTLS: startTLS,
      certificateFile: trusting ? receiver.certificate : nil)
    try await onThread { try MailSender().send(message, by: server, login) }
  }

  @Test func `a mail arrives over TLS with a login`() async throws {
    let receiver = try SMTPReceiver(.tls, user: "distro", password: Self.login.password)
    let text = String(repeating: "Zeile mit Ümlaut.\n.\n..\n", count: 200)
    try await send(
      Self.message(text: text), by: receiver, "smtps://localhost", login: Self.login)
    let mail = try #require(try receiver.mails().first)
    #expect(mail.isEncrypted && mail.login == "distro")
    #expect(mail.from == "distro@example.org" && mail.to == ["ops@example.org"])
    #expect(mail.text(of: "Subject") == "2 refused")
    #expect(mail.header("Message-ID") == "<0123-abcd@example.org>")
    #expect(mail.header("Date") == "Tue, 14 Nov 2023 22:13:20 +0000")
    #expect(mail.parts == [text, "<p>line</p>"])
  }

  @Test func `a mail arrives by STARTTLS with a login`() async throws {
    let receiver = try SMTPReceiver(.starttls, user: "distro", password: Self.login.password)
    try await send(
      Self.message(), by: receiver, "smtp://localhost", login: Self.login, startTLS: true)
    #expect(try receiver.mails().map(\.isEncrypted) == [true])
  }

  @Test func `nothing is said in clear where STARTTLS is missing`() async throws {
    let receiver = try SMTPReceiver(.none, user: "distro", password: Self.login.password)
    await #expect(throws: MailError.noTLS(host: "localhost")) {
      try await send(
        Self.message(), by: receiver, "smtp://localhost", login: Self.login, startTLS: true)
    }
    #expect(try receiver.mails().isEmpty)
  }

  @Test func `this machine's own server is spoken to in clear`() async throws {
    let receiver = try SMTPReceiver()
    try await send(Self.message(), by: receiver, "smtp://127.0.0.1")
    #expect(try receiver.mails().map(\.isEncrypted) == [false])
  }

  @Test func `a wrong password is named and a check finds it`() async throws {
    let receiver = try SMTPReceiver(.tls, user: "distro", password: "other")
    await #expect(throws: MailError.login(host: "localhost")) {
      try await send(Self.message(), by: receiver, "smtps://localhost", login: Self.login)
    }
    let server = try MailServer(
      "smtps://localhost:\(receiver.port)", certificateFile: receiver.certificate)
    await #expect(throws: MailError.login(host: "localhost")) {
      try await onThread { try MailSender().check(server, Self.login) }
    }
    try await onThread {
      try MailSender().check(server, .init(user: "distro", password: "other"))
    }
    #expect(try receiver.mails().isEmpty)
  }

  @Test func `a server with a certificate that is not trusted gets nothing`() async throws {
    let receiver = try SMTPReceiver(.tls)
    await #expect(throws: MailError.certificate(host: "localhost")) {
      try await send(Self.message(), by: receiver, "smtps://localhost", trusting: false)
    }
    await #expect(throws: MailError.certificate(host: "127.0.0.1")) {
      try await send(Self.message(), by: receiver, "smtps://127.0.0.1")
    }
    #expect(try receiver.mails().isEmpty)
  }

  @Test func `a refusal for good and one for now are told apart`() async throws {
    let receiver = try SMTPReceiver()
    for (name, code, isFinal) in [("refused", 550, true), ("later", 451, false)] {
      let expected = MailError.rejected(
        host: "127.0.0.1", recipient: "\(name)@example.org", code: code)
      #expect(expected.isFinal == isFinal)
      await #expect(throws: expected) {
        try await send(
          Self.message(to: "\(name)@example.org"), by: receiver, "smtp://127.0.0.1")
      }
    }
  }

  @Test func `hostile words make no header and no command`() async throws {
    let receiver = try SMTPReceiver()
    let hostile =
      "a\r\nBcc: victim@example.org\r\n\r\n.\r\nMAIL FROM:<x@y> =?utf-8?q?x?= 🙂 \u{202E}"
    try await send(
      Self.message(subject: hostile, text: hostile, html: hostile), by: receiver,
      "smtp://127.0.0.1")
    let mail = try #require(try receiver.mails().first)
    #expect(try receiver.mails().count == 1)
    #expect(mail.header("Bcc") == nil && mail.to == ["ops@example.org"])
    #expect(mail.text(of: "Subject") == hostile)
    #expect(mail.parts == [hostile, hostile])
    #expect(mail.content.utf8.allSatisfy { $0 < 0x80 })
  }

  @Test func `a long subject is words of seventy five bytes at most`() throws {
    let bytes = try Self.message(subject: String(repeating: "ü🙂", count: 100)).bytes
    let lines = String(decoding: bytes, as: UTF8.self).components(separatedBy: "\r\n")
    #expect(lines.allSatisfy { $0.utf8.count <= 90 })
    #expect(!String(decoding: bytes, as: UTF8.self).replacing("\r\n", with: "").contains("\n"))
  }

  @Test func `a server that is not there or says nothing is named`() async throws {
    let nowhere = try MailServer("smtp://127.0.0.1:\(FreePort.take())")
    let silent = try RawListener()
    let mute = try MailServer("smtp://127.0.0.1:\(silent.port)")
    let message = try Self.message()
    await #expect {
      try await onThread { try MailSender().send(message, by: nowhere, nil) }
    } throws: {
      if case .unreachable? = $0 as? MailError { true } else { false }
    }
    await #expect(throws: MailError.deadline(host: "127.0.0.1")) {
      try await onThread {
        try MailSender(deadline: .milliseconds(300)).send(message, by: mute, nil)
      }
    }
  }

  @Test func `a mail that is being sent ends when it is told to`() async throws {
    let silent = try RawListener()
    let mute = try MailServer("smtp://127.0.0.1:\(silent.port)")
    let sender = MailSender()
    let message = try Self.message()
    let sent = Task { try await onThread { try sender.send(message, by: mute, nil) } }
    sender.stop()
    await #expect(throws: MailError.stopped) { try await sent.value }
  }

  @Test(arguments: [
    "", "ops", "@example.org", "ops@", "a@b@c", "a b@example.org", "a@example.org\r\nX: y",
    "<a@example.org>", "-a@example.org", "a@exämple.org", "a\"b@example.org", "a@b,c@d",
  ])
  func `refuses what is no address`(_ text: String) {
    #expect(throws: MailError.self) { try MailAddress(text) }
  }

  @Test func `in clear only to this machine`() throws {
    for text in ["http://example.org", "smtps://", "smtps://u:p@example.org", "example.org"] {
      #expect(throws: MailError.self) { try MailServer(text) }
    }
    #expect(throws: MailError.self) { try MailServer("smtp://example.org", startTLS: false) }
    #expect(try MailServer("smtp://example.org").port == 587)
    #expect(try MailServer("smtps://example.org").port == 465)
    #expect(try MailServer("smtp://localhost").port == 25)
  }

  @Test func `a password is in no error`() {
    #expect { try MailServer("smtps://u:hunter2@example.org") } throws: {
      !"\($0)".contains("hunter2")
    }
  }
}
