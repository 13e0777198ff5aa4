import BrokerCarrier
import CarrierProtocol
import Foundation
import Mailboxes
import MessageFormat
import NATS
import NATSCarrier
import TestSupport
import Testing

extension CarrierConformanceTests {
  /// What goes wrong at a real server. One of them after the other: they share it.
  @Suite(.serialized, .enabled(if: NATSServer.absence == nil, "nats-server is not installed"))
  struct NATSTests {
    private static let chunk = Limits.chunkByteCountMax

    private let fixture: CarrierFixture
    private let streams: NATSStreamsOfTest
    private var sender: CarrierMachine { fixture.sender }
    private var reader: CarrierMachine { fixture.readers[0] }
    private var other: CarrierMachine { fixture.readers[1] }

    init() throws {
      fixture = try CarrierFixture(.nats)
      streams = try #require(fixture.streams)
    }

    @Test func `a server that is killed in a large message and a stream of others loses nothing`()
      throws
    {
      let letters =
        [fixture.letter(1, 300 * Self.chunk)] + (2...40).map { fixture.letter($0, Int($0) * 3_000) }
      try fixture.connect(reader)
      try fixture.connectSender()
      for letter in letters { try sender.put(letter, for: [reader]) }
      try sender.wait { sender.current.movedCount > 100 }
      streams.servers[0].kill()
      #expect(sender.current.delivered.count < letters.count)
      try streams.servers[0].start()
      try reader.requireMail(letters)
      try sender.requireDelivered(letters)
      try reader.wait { reader.current.accepted.count == letters.count }
      try reader.wait { try streams.waitingCount(of: reader.mailbox) == 0 }
    }

    @Test func `a recipient without a stream is refused and holds up no other`() throws {
      try streams.using { try $0.deleteStream(NATSNames.stream(of: reader.mailbox)) }
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

    @Test func `bytes that are not ours are taken out of the stream and told of once`() throws {
      let letter = fixture.letter(1, 3 * Self.chunk)
      let false0 = BrokerMessage(
        id: letter.id, size: letter.size, slot: nil, first: 0, chunks: [[1, 2, 3]])
      try streams.publish(
        [
          [], Array("distro".utf8), [UInt8](repeating: 7, count: 500_000),
          Array(false0.encoded().dropLast()), false0.encoded(),
        ], into: reader.mailbox)
      try fixture.connect(reader)
      try fixture.connectSender()
      try sender.put(letter, for: [reader])
      try reader.requireMail([letter])
      try reader.wait { try streams.waitingCount(of: reader.mailbox) == 0 }
      #expect(reader.log.count(of: "foreign-bytes") == 1)
    }

    @Test func `a message with a part missing is dropped and comes whole when it is sent again`()
      throws
    {
      let letters = [fixture.letter(1, 100 * Self.chunk), fixture.letter(2)]
      try fixture.connectSender()
      for letter in letters { try sender.put(letter, for: [reader]) }
      try sender.requireDelivered(letters)
      try streams.steal(20, from: reader.mailbox)
      try fixture.connect(reader)
      try reader.requireMail([letters[1]])
      try reader.wait { try streams.waitingCount(of: reader.mailbox) == 0 }
      #expect(try !reader.has(letters[0]))
      #expect(reader.log.count(of: "transfer-incomplete") == 1)
      // By another run: in this one, the server takes its parts for ones that it has.
      sender.disconnect()
      try fixture.connectSender()
      try sender.put(letters[0], for: [reader])
      try reader.requireMail(letters)
    }

    @Test
    func `a stream that is full is refused and its smaller messages go on when there is room`()
      throws
    {
      try streams.limit(reader.mailbox, messageCountMax: 20)
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
      // Header and statement share a message. What comes twice takes its own place.
      #expect(try streams.waitingCount(of: reader.mailbox) == letter.chunks.count - 1)
      try fixture.connect(reader)
      try reader.requireMail([letter])
    }

    @Test func `a newer message of a slot takes the place of an older one in the stream`() throws {
      try fixture.connectSender()
      let slot = Slot(repeating: 3)
      let recipients = fixture.readers.map(\.mailbox)
      let letters = (1...20).map { Letter($0, for: recipients, slot: slot) }
      for letter in letters {
        try sender.put(letter, for: [reader])
        try sender.requireDelivered([letter])
      }
      #expect(try streams.waitingCount(of: reader.mailbox) == 1)
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
      try streams.publish(pieces, into: reader.mailbox)
      try fixture.connect(reader)
      try reader.requireMail(letters)
      #expect(reader.current.accepted.count == letters.count)
      try reader.wait { try streams.waitingCount(of: reader.mailbox) == 0 }
    }

    @Test func `a stream that is purged or deleted under its reader is made and read again`()
      throws
    {
      try fixture.connect(reader)
      try fixture.connectSender()
      let letters = (1...6).map { fixture.letter($0, Int($0) * 90_000) }
      try sender.put(letters[0], for: [reader])
      try reader.requireMail([letters[0]])
      let name = NATSNames.stream(of: reader.mailbox)
      try streams.using { try $0.purge(name) }
      try sender.put(letters[1], for: [reader])
      try reader.requireMail([letters[1]])
      try streams.using { try $0.deleteStream(name) }
      for letter in letters[2...] { try sender.put(letter, for: [reader]) }
      try reader.wait { reader.current.accepted.count == letters.count }
      try reader.requireMail(letters)
    }

    @Test func `a consumer that was deleted under its reader is made again`() throws {
      try fixture.connect(reader)
      try fixture.connectSender()
      try sender.put(fixture.letter(1), for: [reader])
      try reader.requireMail([fixture.letter(1)])
      try streams.using {
        try $0.deleteConsumer(NATSNames.consumer, of: NATSNames.stream(of: reader.mailbox))
      }
      try sender.put(fixture.letter(2), for: [reader])
      try reader.wait { reader.current.accepted.count == 2 }
      try reader.requireMail([fixture.letter(2)])
    }
  }
}
