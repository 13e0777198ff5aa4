import BrokerCarrier
import CarrierProtocol
import Foundation
import IronMQ
import IronMQCarrier
import IronMQServer
import Mailboxes
import MessageFormat
import TestSupport
import Testing

extension CarrierConformanceTests {
  /// What goes wrong at an IronMQ: each test at a server of its own that behaves as the documentation says.
  @Suite(.serialized) struct IronMQTests {
    private static let chunk = Limits.chunkByteCountMax

    private let fixture: CarrierFixture
    private let queues: IronMQQueuesOfTest
    private var sender: CarrierMachine { fixture.sender }
    private var reader: CarrierMachine { fixture.readers[0] }
    private var other: CarrierMachine { fixture.readers[1] }

    init() throws {
      fixture = try CarrierFixture(.ironMQ)
      queues = try #require(fixture.ironQueues)
    }

    private func requireEmptied(_ machine: CarrierMachine) throws {
      try queues.wait(for: machine) { queues.waitingCount(in: machine.mailbox) == 0 }
      queues.expectNothingCleared()
    }

    private func requireMail(_ letters: [Letter]) throws {
      try queues.wait(for: reader) { try letters.allSatisfy { try reader.has($0) } }
    }

    @Test func `a server that goes away in a large message and a stream of others loses nothing`()
      throws
    {
      // More chunks than may be out of their order: what belonged to a poll that was cut comes last.
      let letters =
        [fixture.letter(1, 150 * Self.chunk)] + (2...40).map { fixture.letter($0, Int($0) * 3_000) }
      try fixture.connect(reader)
      try fixture.connectSender()
      for letter in letters { try sender.put(letter, for: [reader]) }
      try sender.wait { sender.current.movedCount > 20 }
      queues.server.stop()
      #expect(sender.current.delivered.count < letters.count)
      try queues.server.begin()
      try requireMail(letters)
      try sender.requireDelivered(letters)
      #expect(reader.current.accepted.count == letters.count, "each is accepted once")
      try requireEmptied(reader)
    }

    @Test(arguments: LineFaults.Kind.allCases)
    func `answers that are lost after the work was done lose nothing`(kind: LineFaults.Kind) throws
    {
      let letters =
        [fixture.letter(1, 20 * Self.chunk)] + (2...10).map { fixture.letter($0, Int($0) * 9_000) }
      queues.server.behave { $0.lostAnswers[kind] = 3 }
      queues.reservation.renewal = .milliseconds(5)
      try fixture.connect(reader)
      try fixture.connectSender()
      for letter in letters { try sender.put(letter, for: [reader]) }
      try requireMail(letters)
      try sender.requireDelivered(letters)
      #expect(reader.current.accepted.count == letters.count)
      try requireEmptied(reader)
    }

    @Test(arguments: LineFaults.Kind.allCases)
    func `connections that are cut lose nothing`(kind: LineFaults.Kind) throws {
      let letters = (1...10).map { fixture.letter($0, Int($0) * 40_000) }
      queues.server.behave { $0.cuts[kind] = 4 }
      queues.reservation.renewal = .milliseconds(5)
      try fixture.connect(reader)
      try fixture.connectSender()
      for letter in letters { try sender.put(letter, for: [reader]) }
      try requireMail(letters)
      try sender.requireDelivered(letters)
      #expect(reader.current.accepted.count == letters.count)
      try requireEmptied(reader)
    }

    @Test func `messages that come twice and in any order are accepted once`() throws {
      let letters =
        [fixture.letter(1, 30 * Self.chunk)] + (2...12).map { fixture.letter($0, Int($0) * 20_000) }
      queues.server.change {
        $0.faults.duplicates = true
        $0.faults.reordering = SeededGenerator(seed: 11)
      }
      try fixture.connectSender()
      for letter in letters { try sender.put(letter, for: [reader]) }
      try sender.requireDelivered(letters)
      try fixture.connect(reader)
      try reader.requireMail(letters)
      #expect(reader.current.accepted.count == letters.count)
      try requireEmptied(reader)
      #expect(reader.log.count(of: "transfer-incomplete") == 0)
    }

    @Test func `a recipient without a queue is refused and holds up no other`() throws {
      queues.server.deleteQueue(reader.mailbox.ironQueue.text)
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
      let part = BrokerPart.split(
        [UInt8](false0.encoded()) + [UInt8](repeating: 1, count: 40_000), byteCountMax: 20_000)
      queues.publish(
        [
          Array("distro".utf8), [UInt8](repeating: 7, count: 150_000),
          Array(false0.encoded().dropLast()), false0.encoded(), Array(part[0].dropLast()),
        ] + part, into: reader.mailbox)
      queues.server.put(["no Base64: <ä\u{1}\"\\>"], into: reader.mailbox.ironQueue.text)
      try fixture.connect(reader)
      try fixture.connectSender()
      try sender.put(letter, for: [reader])
      try reader.requireMail([letter])
      try requireEmptied(reader)
      let dead = reader.mailbox.ironDeadQueue.text
      // One is more than a request of ours holds.
      #expect(queues.server.count(in: dead) == 8)
      #expect(queues.server.steal(100, from: dead).contains("no Base64: <ä\u{1}\"\\>"))
      #expect(reader.log.count(of: "foreign-bytes") == 1)
    }

    @Test func `a wrong token is reported once and a right one is read again`() throws {
      try fixture.folder.rewrite(queues.tokenFile, "wrong\n")
      try fixture.connectSender()
      try sender.wait { !sender.current.failures.isEmpty }
      #expect(sender.current.failures[0].contains("IronMQ refuses the token (401)"))
      #expect(!sender.log.lines.contains { $0.contains("wrong") })
      let letter = fixture.letter(1)
      try sender.put(letter, for: [reader])
      try fixture.folder.rewrite(queues.tokenFile, ConformanceServer.token + "\n")
      try sender.requireDelivered([letter])
      #expect(sender.log.count(of: "carrier-unreachable") == 1)
    }

    @Test func `a token that is changed here and there is read again without a fault`() throws {
      let letters = [fixture.letter(1), fixture.letter(2)]
      try fixture.connectSender()
      try sender.put(letters[0], for: [reader])
      try sender.requireDelivered([letters[0]])
      try fixture.folder.rewrite(queues.tokenFile, "another\n")
      queues.server.change { $0.token = "another" }
      try sender.put(letters[1], for: [reader])
      try sender.requireDelivered(letters)
      #expect(sender.current.failures.isEmpty)
    }
  }
}

extension TemporaryFolder {
  /// In place, with the rights that it has.
  fileprivate func rewrite(_ path: String, _ text: String) throws {
    try text.write(toFile: path, atomically: false, encoding: .utf8)
  }
}
