import BrokerCarrier
import CarrierProtocol
import Foundation
import Mailboxes
import MessageFormat
import RabbitMQ
import RabbitMQCarrier
import TestSupport
import Testing

extension CarrierConformanceTests {
  /// What goes wrong at a real broker. One of them after the other: they share it.
  @Suite(
    .serialized, .enabled(if: RabbitMQServer.absence == nil, "rabbitmq-server is not installed"))
  struct RabbitMQTests {
    private static let chunk = Limits.chunkByteCountMax

    private let fixture: CarrierFixture
    private let queues: RabbitMQQueuesOfTest
    private var sender: CarrierMachine { fixture.sender }
    private var reader: CarrierMachine { fixture.readers[0] }
    private var other: CarrierMachine { fixture.readers[1] }

    init() throws {
      fixture = try CarrierFixture(.rabbitMQ)
      queues = try #require(fixture.queues)
    }

    @Test func `a broker that is killed in a large message and a stream of others loses nothing`()
      throws
    {
      let letters =
        [fixture.letter(1, 300 * Self.chunk)] + (2...40).map { fixture.letter($0, Int($0) * 3_000) }
      queues.server.waitForQueues()
      try fixture.connect(reader)
      try fixture.connectSender()
      for letter in letters { try sender.put(letter, for: [reader]) }
      try sender.wait { sender.current.movedCount > 100 }
      queues.server.kill()
      #expect(sender.current.delivered.count < letters.count)
      try queues.server.start()
      try reader.requireMail(letters)
      try sender.requireDelivered(letters)
      #expect(reader.current.accepted.count == letters.count, "each is accepted once")
      try reader.wait { try queues.waitingCount(in: reader.mailbox.queueName) == 0 }
    }

    @Test func `a recipient without a queue is refused and holds up no other`() throws {
      try queues.using { try $0.delete(reader.mailbox.queueName) }
      try fixture.connect(other)
      try fixture.connectSender()
      let letter = fixture.letter(1)
      try sender.put(letter, for: fixture.readers)
      try other.requireMail([letter])
      try sender.wait { !sender.current.refused.isEmpty }
      let refused = sender.current.refused[0]
      #expect(refused.mailbox == reader.mailbox)
      #expect(refused.reason == .unknownMailbox)
      // It makes its own.
      try fixture.connect(reader)
      try reader.requireMail([letter])
    }

    @Test func `bytes that are not ours are put aside and told of once`() throws {
      let letter = fixture.letter(1, 3 * Self.chunk)
      let false0 = BrokerMessage(
        id: letter.id, size: letter.size, slot: nil, first: 0, chunks: [[1, 2, 3]])
      try queues.publish(
        [
          [], Array("distro".utf8), [UInt8](repeating: 7, count: 500_000),
          Array(false0.encoded().dropLast()), false0.encoded(),
        ], into: reader.mailbox.queueName)
      try fixture.connect(reader)
      try fixture.connectSender()
      try sender.put(letter, for: [reader])
      try reader.requireMail([letter])
      try reader.wait { try queues.waitingCount(in: reader.mailbox.deadQueueName) == 5 }
      #expect(try queues.waitingCount(in: reader.mailbox.queueName) == 0)
      #expect(reader.log.count(of: "foreign-bytes") == 1)
    }

    @Test func `a wrong password is reported once and a right one is read again`() throws {
      try fixture.folder.rewrite(queues.passwordFile, "wrong\n")
      try fixture.connectSender()
      try sender.wait { !sender.current.failures.isEmpty }
      #expect(sender.current.failures[0].contains("refuses the login: 403"))
      #expect(!sender.log.lines.contains { $0.contains("wrong") })
      let letter = fixture.letter(1)
      try sender.put(letter, for: [reader])
      try fixture.folder.rewrite(queues.passwordFile, RabbitMQServer.password + "\n")
      try sender.requireDelivered([letter])
      #expect(sender.log.count(of: "carrier-unreachable") == 1)
    }

    @Test func `a message with a part missing is dropped and comes whole when it is sent again`()
      throws
    {
      let letters = [fixture.letter(1, 100 * Self.chunk), fixture.letter(2)]
      try fixture.connectSender()
      for letter in letters { try sender.put(letter, for: [reader]) }
      try sender.requireDelivered(letters)
      try queues.steal(20, from: reader.mailbox.queueName)
      try fixture.connect(reader)
      try reader.requireMail([letters[1]])
      try reader.wait { try queues.waitingCount(in: reader.mailbox.queueName) == 0 }
      #expect(try !reader.has(letters[0]))
      #expect(reader.log.count(of: "transfer-incomplete") == 1)
      try sender.put(letters[0], for: [reader])
      try reader.requireMail(letters)
    }

    @Test func `a queue that is full is refused and its smaller messages go on when there is room`()
      throws
    {
      let name = reader.mailbox.queueName.replacing(".", with: #"\."#)
      try queues.server.control(
        "set_policy", "quota", "^\(name)$", #"{"max-length":2,"overflow":"reject-publish"}"#,
        "--apply-to", "queues")
      try fixture.connect(other)
      try fixture.connectSender()
      let letters = (1...30).map { fixture.letter($0, Self.chunk) }
      for letter in letters { try sender.put(letter, for: fixture.readers) }
      try other.requireMail(letters)
      try sender.wait { !sender.current.refused.isEmpty }
      #expect(sender.current.refused.allSatisfy { $0.mailbox == reader.mailbox })
      #expect(sender.current.refused[0].reason == .overQuota)
      try fixture.connect(reader)
      try reader.requireMail(letters)
      try queues.server.control("clear_policy", "quota")
    }

    @Test func `a sender that ends in a large message goes on near where it was`() throws {
      let letter = fixture.letter(1, 300 * Self.chunk)
      try sender.put(letter, for: [reader])
      try fixture.connectSender()
      try sender.wait { sender.current.movedCount > 100 }
      sender.disconnect()
      #expect(sender.current.delivered.isEmpty)
      try fixture.connectSender()
      try sender.requireDelivered([letter])
      // Header and statement share a message. What was on its way without a confirm comes twice.
      #expect(try queues.waitingCount(in: reader.mailbox.queueName) < letter.chunks.count + 70)
      try fixture.connect(reader)
      try reader.requireMail([letter])
    }

    /// RabbitMQ then reads nothing from whoever publishes, acknowledgements neither.
    @Test func `a broker whose memory is short delivers and takes messages when it has some`()
      throws
    {
      let letters = (1...3).map { fixture.letter($0, 20 * Self.chunk) }
      try fixture.connectSender()
      try sender.put(letters[0], for: [reader])
      try sender.requireDelivered([letters[0]])
      try queues.server.control("set_vm_memory_high_watermark", "0.00001")
      try sender.put(letters[1], for: [reader])
      try sender.wait { sender.log.count(of: "the broker takes no messages") > 0 }
      try fixture.connect(reader)
      // The reader's own word waits as well, and its mail comes all the same.
      try reader.put(letters[2], for: [sender])
      try reader.requireMail([letters[0]])
      try reader.wait { try queues.waitingCount(in: reader.mailbox.queueName) == 0 }
      #expect(sender.current.delivered == [letters[0].id])
      try queues.server.control("set_vm_memory_high_watermark", "0.4")
      try reader.requireMail([letters[1]])
      try sender.requireMail([letters[2]])
    }

    /// Brokers have no slots: the readers' inboxes do.
    @Test func `a newer message of a slot takes the place of an older one`() throws {
      try fixture.connectSender()
      let slot = Slot(repeating: 3)
      let recipients = fixture.readers.map(\.mailbox)
      let letters = (1...20).map { Letter($0, for: recipients, slot: slot) }
      for letter in letters {
        try sender.put(letter, for: [reader])
        try sender.requireDelivered([letter])
      }
      try fixture.connect(reader)
      try reader.requireMail([letters[19]])
      #expect(try reader.store.messages(in: reader.mailbox, countMax: 99).count == 1)
    }

    @Test func `messages of several senders come mixed and in any order`() throws {
      let letters = (1...4).map { fixture.letter($0, 30 * Self.chunk) }
      var pieces: [[UInt8]] = []
      var generator = SeededGenerator(seed: 5)
      for start in stride(from: 0, to: 32, by: 8) {
        let part = letters.flatMap { letter in
          (start..<min(start + 8, letter.chunks.count)).map { index in
            BrokerMessage(
              id: letter.id, size: letter.size, slot: nil, first: UInt32(index),
              chunks: [letter.chunks[index]]
            ).encoded()
          }
        }
        pieces += part.shuffled(using: &generator)
        // Some of them twice.
        pieces += part.prefix(5)
      }
      try queues.publish(pieces, into: reader.mailbox.queueName)
      try fixture.connect(reader)
      try reader.requireMail(letters)
      #expect(reader.current.accepted.count == letters.count)
      try reader.wait { try queues.waitingCount(in: reader.mailbox.queueName) == 0 }
      #expect(try queues.waitingCount(in: reader.mailbox.deadQueueName) == 0)
    }

    @Test func `a broker without the certificate of our authority is not spoken to`() throws {
      let folder = fixture.folder
      let names = ["one", "two"].map { folder.path + "/" + $0 }
      for name in names { try TestCertificate.make(name + ".pem", key: name + ".key", in: folder) }
      let port = try FreePort.take()
      let secured = try RabbitMQServer(
        """
        listeners.ssl.1 = 127.0.0.1:\(port)
        ssl_options.certfile = \(names[0]).pem
        ssl_options.keyfile = \(names[0]).key
        """)
      func login(_ host: String, _ authorities: String?) throws -> RabbitMQConnection {
        let url = "amqps://distro@\(host):\(port)/"
        return try queues.broker(url: url, authorities: authorities)
          .login(at: RabbitMQAddress(url).nodes[0])
      }
      try login("localhost", names[0] + ".pem").close(inOrder: true)
      for (host, authorities) in [
        ("localhost", names[1] + ".pem"), ("localhost", nil), ("127.0.0.1", names[0] + ".pem"),
      ] {
        #expect { try login(host, authorities) } throws: { error in
          if case RabbitMQError.certificate = error { true } else { false }
        }
      }
      secured.kill()
    }
  }
}

extension TemporaryFolder {
  /// In place, with the rights that it has.
  fileprivate func rewrite(_ path: String, _ text: String) throws {
    try text.write(toFile: path, atomically: false, encoding: .utf8)
  }
}
