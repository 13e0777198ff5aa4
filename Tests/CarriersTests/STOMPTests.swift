import BrokerCarrier
import CarrierProtocol
import Foundation
import MessageFormat
import TestSupport
import Testing

extension CarrierConformanceTests {
  /// What goes wrong at real brokers that speak STOMP. One of them after the other: they share the brokers.
  @Suite(.serialized) struct STOMPTests {
    private static let chunk = Limits.chunkByteCountMax

    static let brokers = [CarrierSubject.activeMQ, .rabbitMQByStomp].filter {
      CarrierSubject.available.contains($0)
    }

    @Test(arguments: brokers)
    func `a STOMP broker that is killed in a large message and a stream of others loses nothing`(
      subject: CarrierSubject
    ) throws {
      let fixture = try CarrierFixture(subject)
      let (sender, reader) = (fixture.sender, fixture.readers[0])
      let queues = try #require(fixture.stomp)
      let letters =
        [fixture.letter(1, 300 * Self.chunk)] + (2...40).map { fixture.letter($0, Int($0) * 3_000) }
      try fixture.connect(reader)
      try fixture.connectSender()
      // The first subscription makes a queue, and RabbitMQ loses one that it has just made.
      for machine in [reader, sender] {
        try machine.wait { try queues.hasQueue(machine.mailbox) }
      }
      queues.noteQueues()
      queues.waitForQueues()
      for letter in letters { try sender.put(letter, for: [reader]) }
      try sender.wait { sender.current.movedCount > 100 }
      queues.kill()
      #expect(sender.current.delivered.count < letters.count)
      try queues.start()
      try reader.requireMail(letters)
      try sender.requireDelivered(letters)
      #expect(reader.current.accepted.count == letters.count, "each is accepted once")
      try reader.wait { try queues.waitingCount(in: reader.mailbox.queueName) == 0 }
    }

    @Test(arguments: brokers)
    func `bytes that are not ours leave the queue and are told of once`(
      subject: CarrierSubject
    ) throws {
      let fixture = try CarrierFixture(subject)
      let (sender, reader) = (fixture.sender, fixture.readers[0])
      let queues = try #require(fixture.stomp)
      let letter = fixture.letter(1, 3 * Self.chunk)
      let false0 = BrokerMessage(
        id: letter.id, size: letter.size, slot: nil, first: 0, chunks: [[1, 2, 3]])
      let foreign = [
        [], Array("distro".utf8), [UInt8](repeating: 7, count: 500_000),
        Array(false0.encoded().dropLast()), false0.encoded(),
      ]
      try queues.publish(foreign, into: reader.mailbox.queueName)
      // Headers of a stranger's are not ours either, whatever they are called.
      let headers = [("browser", "end"), ("version", "x")] + (0..<200).map { ("h\($0)", "\\ : é") }
      try queues.publish([[9]], into: reader.mailbox.queueName, headers)
      try fixture.connect(reader)
      try fixture.connectSender()
      try sender.put(letter, for: [reader])
      try reader.requireMail([letter])
      try reader.wait { try queues.waitingCount(in: reader.mailbox.queueName) == 0 }
      #expect(reader.log.count(of: "foreign-bytes") == 1)
      guard subject == .activeMQ else { return }
      try reader.wait { try queues.waitingCount(in: reader.mailbox.queueName + ".dead") == 6 }
    }

    @Test(arguments: brokers)
    func `a message of which a STOMP broker lost a part comes whole when it is sent again`(
      subject: CarrierSubject
    ) throws {
      let fixture = try CarrierFixture(subject)
      let (sender, reader) = (fixture.sender, fixture.readers[0])
      let queues = try #require(fixture.stomp)
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

    @Test(arguments: brokers)
    func `a wrong password at a STOMP broker is reported once and a right one is read again`(
      subject: CarrierSubject
    ) throws {
      let fixture = try CarrierFixture(subject)
      let (sender, reader) = (fixture.sender, fixture.readers[0])
      let queues = try #require(fixture.stomp)
      try "wrong-secret\n".write(
        toFile: queues.passwordFile, atomically: false, encoding: .utf8)
      try fixture.connectSender()
      try sender.wait { !sender.current.failures.isEmpty }
      #expect(sender.current.failures[0].contains("refuses the login"))
      #expect(!sender.log.lines.contains { $0.contains("wrong-secret") })
      let letter = fixture.letter(1)
      try sender.put(letter, for: [reader])
      try (ActiveMQServer.password + "\n").write(
        toFile: queues.passwordFile, atomically: false, encoding: .utf8)
      try sender.requireDelivered([letter])
      #expect(sender.log.count(of: "carrier-unreachable") == 1)
    }

    @Test(arguments: brokers)
    func `a newer message of a slot takes the place of an older one by STOMP`(
      subject: CarrierSubject
    ) throws {
      let fixture = try CarrierFixture(subject)
      let (sender, reader) = (fixture.sender, fixture.readers[0])
      try fixture.connectSender()
      let letters = (1...20).map {
        Letter($0, for: fixture.readers.map(\.mailbox), slot: Slot(repeating: 3))
      }
      for letter in letters {
        try sender.put(letter, for: [reader])
        try sender.requireDelivered([letter])
      }
      try fixture.connect(reader)
      try reader.requireMail([letters[19]])
      #expect(try reader.store.messages(in: reader.mailbox, countMax: 99).count == 1)
    }

    @Test(arguments: brokers)
    func `a sender by STOMP that ends in a large message goes on near where it was`(
      subject: CarrierSubject
    ) throws {
      let fixture = try CarrierFixture(subject)
      let (sender, reader) = (fixture.sender, fixture.readers[0])
      let letter = fixture.letter(1, 300 * Self.chunk)
      try sender.put(letter, for: [reader])
      try fixture.connectSender()
      try sender.wait { sender.current.movedCount > 100 }
      sender.disconnect()
      #expect(sender.current.delivered.isEmpty)
      try fixture.connectSender()
      try sender.requireDelivered([letter])
      try fixture.connect(reader)
      try reader.requireMail([letter])
    }
  }
}
