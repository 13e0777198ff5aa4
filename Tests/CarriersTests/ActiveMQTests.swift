import ActiveMQCarrier
import BrokerCarrier
import CarrierProtocol
import Foundation
import MessageFormat
import STOMP
import TestSupport
import Testing

extension CarrierConformanceTests {
  /// What an ActiveMQ does that is set up in another way. Each test has a broker of its own.
  @Suite(.serialized, .enabled(if: ActiveMQServer.absence == nil, "activemq is not installed"))
  struct ActiveMQTests {
    private static let chunk = Limits.chunkByteCountMax

    private let fixture: CarrierFixture
    private let queues: STOMPQueuesOfTest
    private var sender: CarrierMachine { fixture.sender }
    private var reader: CarrierMachine { fixture.readers[0] }
    private var other: CarrierMachine { fixture.readers[1] }

    init() throws {
      fixture = try CarrierFixture(.activeMQ)
      queues = try #require(fixture.stomp)
    }

    private func connect(
      _ machine: CarrierMachine, to server: ActiveMQServer, as user: String = "distro",
      blockedMax: Duration? = nil
    ) throws {
      let plan = try ActiveMQPlan(
        server.url, as: .init(user, passwordFile: queues.passwordFile), authorities: nil)
      var broker = ActiveMQBroker(plan)
      if let blockedMax { broker.blockedMax = blockedMax }
      let correspondents = machine === sender ? fixture.readers.map(\.mailbox) : [sender.mailbox]
      try machine.connect(
        by: BrokerCarrier(broker, timeouts: CarrierFixture.timeouts),
        correspondents: Set(correspondents))
    }

    @Test func `a store that is full is refused and its messages go on when there is room`() throws
    {
      var settings = ActiveMQServer.Settings()
      settings.storeMebibytes = 8
      let server = try ActiveMQServer(settings)
      try connect(sender, to: server)
      let letters = (1...100).map { fixture.letter($0, Self.chunk) }
      for letter in letters { try sender.put(letter, for: [reader]) }
      try sender.wait { !sender.current.refused.isEmpty }
      #expect(sender.current.refused[0].reason == .overQuota)
      #expect(sender.current.delivered.count < letters.count)
      try connect(reader, to: server)
      try reader.requireMail(letters)
      try sender.requireDelivered(letters)
    }

    /// Without `sendFailIfNoSpace` it says nothing, and reads nothing of who publishes.
    @Test func `a full ActiveMQ that is silent delivers, and takes messages when it has room`()
      throws
    {
      var settings = ActiveMQServer.Settings()
      (settings.storeMebibytes, settings.failsIfNoSpace) = (8, false)
      let server = try ActiveMQServer(settings)
      try connect(sender, to: server, blockedMax: .seconds(1))
      let letters = (1...100).map { fixture.letter($0, Self.chunk) }
      for letter in letters { try sender.put(letter, for: [reader]) }
      try sender.wait { sender.log.count(of: "the broker takes no messages") > 0 }
      #expect(sender.current.delivered.count < letters.count)
      try connect(reader, to: server)
      try reader.requireMail(letters)
      try sender.requireDelivered(letters)
    }

    @Test func `a recipient whose queue ActiveMQ lets nobody else make holds up no other`() throws {
      var settings = ActiveMQServer.Settings()
      settings.users = ["alice", "bob", "carol"].map {
        #"<authenticationUser username="\#($0)" password="one-secret" groups="\#($0),distro"/>"#
      }.joined()
      let machines = [("alice", sender), ("bob", reader), ("carol", other)]
      settings.rights = machines.map { name, machine in
        let queue = machine.mailbox.queueName
        return
          #"<authorizationEntry queue="\#(queue)" read="\#(name)" write="distro" admin="\#(name)"/>"#
      }.joined()
      let server = try ActiveMQServer(settings)
      try connect(other, to: server, as: "carol")
      try connect(sender, to: server, as: "alice")
      let letter = fixture.letter(1, 3 * Self.chunk)
      try sender.put(letter, for: fixture.readers)
      try other.requireMail([letter])
      try sender.wait { !sender.current.refused.isEmpty }
      #expect(sender.current.refused[0].mailbox == reader.mailbox)
      #expect(sender.current.refused[0].reason == .unknownMailbox)
      try connect(reader, to: server, as: "bob")
      try reader.requireMail([letter])
    }

    @Test func `queues that an ActiveMQ has lost are made again, and new messages come`() throws {
      let server = try ActiveMQServer()
      try connect(sender, to: server)
      let letters = [fixture.letter(1), fixture.letter(2)]
      try sender.put(letters[0], for: [reader])
      try sender.requireDelivered([letters[0]])
      server.kill()
      try server.forgetAll()
      try server.start()
      try connect(reader, to: server)
      try sender.put(letters[1], for: [reader])
      try reader.requireMail([letters[1]])
      #expect(try !reader.has(letters[0]))
    }

    @Test func `an ActiveMQ that asks nobody is used without a user`() throws {
      var settings = ActiveMQServer.Settings()
      settings.asksForUsers = false
      let server = try ActiveMQServer(settings)
      let plan = try ActiveMQPlan(server.url, as: nil, authorities: nil)
      let probe = try ActiveMQProbe(plan)
      #expect(try probe.tryPublishing(into: reader.mailbox) == nil)
      guard case .empty = try probe.look(into: reader.mailbox) else {
        Issue.record("a trial leaves nothing")
        return
      }
      probe.close()
    }

    @Test func `an ActiveMQ without the certificate of our authority is not spoken to`() throws {
      let folder = fixture.folder
      let names = ["one", "two"].map { folder.path + "/" + $0 }
      for name in names { try TestCertificate.make(name + ".pem", key: name + ".key", in: folder) }
      try Program.run(
        [
          "openssl", "pkcs12", "-export", "-in", names[0] + ".pem", "-inkey", names[0] + ".key",
          "-out", names[0] + ".p12", "-passout", "pass:secret", "-name", "broker",
        ], home: folder.path)
      var settings = ActiveMQServer.Settings()
      settings.keyStore = names[0] + ".p12"
      let server = try ActiveMQServer(settings)
      func login(_ host: String, _ authorities: String?) throws {
        let plan = try queues.plan(
          url: "stomp+ssl://\(host):\(server.securedPort)", authorities: authorities)
        try ActiveMQProbe(plan).close()
      }
      try login("localhost", names[0] + ".pem")
      for (host, authorities) in [
        ("localhost", names[1] + ".pem"), ("localhost", nil), ("127.0.0.1", names[0] + ".pem"),
      ] {
        #expect { try login(host, authorities) } throws: { error in
          if case STOMPError.certificate = error { true } else { false }
        }
      }
      #expect(throws: STOMPError.authorities(path: folder.path + "/none")) {
        try login("localhost", folder.path + "/none")
      }
    }
  }
}
