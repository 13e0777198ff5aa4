import BrokerCarrier
import CarrierProtocol
import Foundation
import Host
import MessageFormat
import NATS
import NATSCarrier
import TestSupport
import Testing

/// Who is let in, what is permitted, and what a server has room for: each test has a server of its own.
@Suite(.serialized, .enabled(if: NATSServer.absence == nil, "nats-server is not installed"))
struct NATSAccessTests {
  private static let password = "one-secret"

  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Users of a server: `test`, who may do everything and needs no login, and others.
  private static func users(_ others: [(name: String, permissions: NATSPermissions)]) -> String {
    let lines = others.map { name, permissions in
      """
      { user: \(name), password: "\(password)", permissions: {
          publish: \(permissions.publish), subscribe: \(permissions.subscribe) } }
      """
    }
    return """
      no_auth_user: test
      authorization { users = [
        { user: test, password: x }
        \(lines.joined(separator: "\n"))
      ] }
      """
  }

  private func streams(_ server: NATSServer, as user: String) throws -> NATSStreamsOfTest {
    let streams = try NATSStreamsOfTest([server])
    streams.login = .user(user, passwordFile: SecretFile(try folder.file(Self.password + "\n")))
    return streams
  }

  @Test func `a user with the least rights sends and receives and does nothing else`() throws {
    let machines = try ["alice", "bob", "carol"].map {
      (name: $0, permissions: NATSPermissions(for: try TestIdentity.make($0).public.mailbox))
    }
    let server = try NATSServer(Self.users(machines))
    let fixture = try CarrierFixture(.nats, at: streams(server, as: "alice"))
    try fixture.connectSender()
    let reader = fixture.readers[0]
    try reader.connect(
      by: BrokerCarrier(
        try NATSBroker(streams(server, as: "bob").plan()), timeouts: CarrierFixture.timeouts),
      correspondents: [fixture.sender.mailbox])
    let letter = fixture.letter(1, 300_000)
    try fixture.sender.put(letter, for: [reader])
    try reader.requireMail([letter])
    try reader.put(letter, for: [fixture.sender])
    try fixture.sender.requireMail([letter])
    // Another one's mailbox is closed to it.
    let line = try NATSBroker(streams(server, as: "bob").plan()).login(
      to: NATSAddress(server.url), as: reader.mailbox)
    #expect {
      try line.consumer("reader", of: NATSNames.stream(of: fixture.sender.mailbox))
    } throws: { error in
      if case NATSError.denied = error { true } else { false }
    }
    line.close(inOrder: true)
  }

  @Test func `a mailbox that the user may not publish into is refused and holds up no other`()
    throws
  {
    let alice = try TestIdentity.make("alice").public.mailbox
    let carol = try TestIdentity.make("carol").public.mailbox
    let all = NATSPermissions(for: alice)
    let some = NATSPermissions(
      publish: ["distro.\(carol.hex).\(alice.hex).>"] + all.publish.dropFirst(),
      subscribe: all.subscribe)
    let server = try NATSServer(Self.users([("alice", some)]))
    let fixture = try CarrierFixture(.nats, at: streams(server, as: "alice"))
    try fixture.connectSender()
    let letter = fixture.letter(1)
    try fixture.sender.put(letter, for: fixture.readers)
    try fixture.sender.wait {
      !fixture.sender.current.refused.isEmpty && fixture.sender.current.delivered == [letter.id]
    }
    #expect(fixture.sender.current.refused[0].reason == .notAllowed)
    #expect(fixture.sender.current.refused[0].mailbox == fixture.readers[0].mailbox)
  }

  @Test func `a wrong password is reported once and a right one is read again`() throws {
    let alice = NATSPermissions(for: try TestIdentity.make("alice").public.mailbox)
    let server = try NATSServer(Self.users([("alice", alice)]))
    let streams = try self.streams(server, as: "alice")
    guard case .user(_, let file) = streams.login else { return }
    let fixture = try CarrierFixture(.nats, at: streams)
    let sender = fixture.sender
    try "wrong\n".write(toFile: file.path, atomically: false, encoding: .utf8)
    try fixture.connectSender()
    try sender.wait { !sender.current.failures.isEmpty }
    #expect(sender.current.failures[0].contains("refuses the login"))
    #expect(!sender.log.lines.contains { $0.contains("wrong") })
    let letter = fixture.letter(1)
    try sender.put(letter, for: [fixture.readers[0]])
    try (Self.password + "\n").write(toFile: file.path, atomically: false, encoding: .utf8)
    try sender.requireDelivered([letter])
    #expect(sender.log.count(of: "carrier-unreachable") == 1)
  }

  @Test func `a user of an operator logs in by a file of credentials that is private`() throws {
    let server = try NATSServer(NATSOperator.configuration)
    let streams = try NATSStreamsOfTest([server])
    let path = try folder.file(NATSOperator.credentials + "\n")
    let mailbox = try TestIdentity.make("alice").public.mailbox
    func login() throws -> NATSConnection {
      try streams.broker().login(to: NATSAddress(server.url), as: mailbox)
    }
    #expect { try login() } throws: { error in
      if case NATSError.login = error { true } else { false }
    }
    streams.login = .credentials(SecretFile(path))
    let line = try login()
    #expect(try line.stream("distro-x") == nil)
    line.close(inOrder: true)
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
    #expect(throws: SecretFileError.open(path, mode: 0o644)) { try login() }
  }

  @Test func `a server whose storage is full is refused and goes on when there is room`() throws {
    let server = try NATSServer("", storage: "max_file_store: 3MB")
    let fixture = try CarrierFixture(.nats, at: NATSStreamsOfTest([server]))
    let (sender, reader) = (fixture.sender, fixture.readers[0])
    try fixture.connectSender()
    let letters = (1...40).map { fixture.letter($0, Limits.chunkByteCountMax) }
    for letter in letters { try sender.put(letter, for: [reader]) }
    try sender.wait { !sender.current.refused.isEmpty }
    #expect(sender.current.refused[0].reason == .overQuota)
    #expect(sender.current.delivered.count < letters.count)
    try fixture.connect(reader)
    try reader.requireMail(letters)
  }

  @Test func `a message over the greatest payload is refused and smaller ones go on`() throws {
    let server = try NATSServer("max_payload: 65536")
    let fixture = try CarrierFixture(.nats, at: NATSStreamsOfTest([server]))
    let (sender, reader) = (fixture.sender, fixture.readers[0])
    try fixture.connect(reader)
    try fixture.connectSender()
    let letters = [fixture.letter(1, 300_000), fixture.letter(2, 1_000)]
    for letter in letters { try sender.put(letter, for: [reader]) }
    try reader.requireMail([letters[1]])
    try sender.wait { !sender.current.refused.isEmpty }
    #expect(sender.current.refused[0].reason == .overLimit)
    #expect(sender.current.refused[0].detail.contains("max_payload"))
  }

  @Test func `a server without the certificate of our authority is not spoken to`() throws {
    let names = ["one", "two"].map { folder.path + "/" + $0 }
    for name in names { try TestCertificate.make(name + ".pem", key: name + ".key", in: folder) }
    let secured = try NATSServer(
      "tls { cert_file: \"\(names[0]).pem\", key_file: \"\(names[0]).key\" }")
    let plain = try NATSServer()
    let mailbox = try TestIdentity.make("alice").public.mailbox
    func login(_ host: String, _ port: UInt16, _ authorities: String?) throws -> NATSConnection {
      let address = try NATSAddress("\(host):\(port)")
      let plan = try NATSPlan([address], .none, authorities: authorities, replicas: 1)
      return try NATSBroker(plan).login(to: address, as: mailbox)
    }
    try login("tls://localhost", secured.port, names[0] + ".pem").close(inOrder: true)
    for (host, port, authorities) in [
      ("tls://localhost", secured.port, names[1] + ".pem"), ("tls://localhost", secured.port, nil),
      ("tls://127.0.0.1", secured.port, names[0] + ".pem"),
      // Whoever answers in plain text, where TLS is asked for.
      ("tls://localhost", plain.port, names[0] + ".pem"),
      // TLS where none was asked for is verified as well.
      ("nats://localhost", secured.port, nil),
      ("nats://127.0.0.1", secured.port, names[0] + ".pem"),
    ] {
      #expect { try login(host, port, authorities) } throws: { error in
        if case NATSError.certificate = error { true } else { false }
      }
    }
  }
}
