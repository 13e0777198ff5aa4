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
  /// How an IronMQ is used: sizes, reservations, pauses.
  @Suite(.serialized) struct IronMQUseTests {
    private static let chunk = Limits.chunkByteCountMax

    private let fixture: CarrierFixture
    private let queues: IronMQQueuesOfTest
    private var sender: CarrierMachine { fixture.sender }
    private var reader: CarrierMachine { fixture.readers[0] }

    init() throws {
      fixture = try CarrierFixture(.ironMQ)
      queues = try #require(fixture.ironQueues)
    }

    private func requireEmptied(_ machine: CarrierMachine) throws {
      try queues.wait(for: machine) { queues.waitingCount(in: machine.mailbox) == 0 }
      queues.expectNothingCleared()
    }

    @Test func `a part whose others do not come is put aside`() throws {
      queues.reservation.waitSeconds = 1
      queues.reservation.partPatience = .milliseconds(20)
      let piece = BrokerMessage(
        id: fixture.letter(1).id, size: fixture.letter(1).size, slot: nil, first: 0,
        chunks: [[UInt8](repeating: 1, count: 60_000)])
      let parts = BrokerPart.split(piece.encoded(), byteCountMax: 20_000)
      queues.publish(Array(parts.dropLast()), into: reader.mailbox)
      try fixture.connect(reader)
      try requireEmptied(reader)
      let dead = reader.mailbox.ironDeadQueue.text
      try reader.wait { queues.server.count(in: dead) == parts.count - 1 }
    }

    @Test func `a message with a part missing is dropped and comes whole when it is sent again`()
      throws
    {
      let letters = [fixture.letter(1, 100 * Self.chunk), fixture.letter(2)]
      queues.reservation.disorder = .zero
      try fixture.connectSender()
      for letter in letters { try sender.put(letter, for: [reader]) }
      try sender.requireDelivered(letters)
      #expect(queues.server.steal(19, from: reader.mailbox.ironQueue.text).count == 19)
      try fixture.connect(reader)
      try reader.requireMail([letters[1]])
      try requireEmptied(reader)
      #expect(try !reader.has(letters[0]))
      #expect(reader.log.count(of: "transfer-incomplete") == 1)
      try sender.put(letters[0], for: [reader])
      try reader.requireMail(letters)
    }

    /// A reader that was killed has the first ones for a minute: the next one waits for them, whatever is behind.
    @Test func `a large message of which a killed reader has the beginning comes whole`() throws {
      let letters = [fixture.letter(1, 150 * Self.chunk), fixture.letter(2)]
      try fixture.connectSender()
      for letter in letters { try sender.put(letter, for: [reader]) }
      try sender.requireDelivered(letters)
      #expect(queues.server.reserve(40, from: reader.mailbox.ironQueue.text) == 40)
      try fixture.connect(reader)
      // More than may be out of its order has come, and is given back.
      try reader.wait { queues.count(of: .release, status: 200) > 64 }
      queues.server.advance(by: .seconds(61))
      try reader.requireMail(letters)
      try requireEmptied(reader)
      #expect(reader.log.count(of: "transfer-incomplete") == 0)
      #expect(reader.current.accepted.count == letters.count)
    }

    @Test func `requests that are too large are refused and small ones go on`() throws {
      queues.requestSize = .large
      let letters = [fixture.letter(1, Self.chunk), fixture.letter(2)]
      // Both share the first request.
      for letter in letters { try sender.put(letter, for: [reader]) }
      try fixture.connectSender()
      try sender.wait { !sender.current.refused.isEmpty }
      #expect(sender.current.refused[0].reason == .overLimit)
      #expect(sender.current.refused[0].detail.contains("request-bytes"))
      try sender.requireDelivered([letters[1]])
      queues.server.change { $0.requestByteCountMax = 262_144 }
      try sender.requireDelivered(letters)
      try fixture.connect(reader)
      try reader.requireMail(letters)
    }

    /// As long as it takes: only their own patience would end them.
    @Test func `a poll without an answer holds up neither what is sent nor the end`() throws {
      queues.server.behave { $0.delays[.reserve] = .seconds(1_000) }
      try fixture.connectSender()
      let letters = (1...5).map { fixture.letter($0, 100_000) }
      for letter in letters { try sender.put(letter, for: [reader]) }
      try sender.requireDelivered(letters)
      let begin = ContinuousClock.now
      sender.disconnect()
      #expect(ContinuousClock.now - begin < .seconds(20), "a poll waits for 30 s and more")
      queues.server.behave { $0.delays = [:] }
    }

    @Test(arguments: [false, true])
    func `what takes long is kept and what was lost is accepted once`(inPart: Bool) throws {
      queues.server.change { $0.faults.deletesInPart = inPart }
      queues.reservation.seconds = 30
      queues.reservation.renewal = .milliseconds(5)
      let slow = try CarrierMachine("dave", in: fixture.folder, inboxMax: Self.oneMessage)
      queues.renew(slow.mailbox)
      let letters = (1...2).map { Letter($0, payloadByteCount: 100_000, for: [slow.mailbox]) }
      let plain = BrokerCarrier(try queues.broker(), timeouts: CarrierFixture.timeouts)
      let sending = try CarrierMachine("erin", in: fixture.folder)
      queues.renew(sending.mailbox)
      try sending.connect(
        by: BrokerCarrier(try queues.broker(), timeouts: CarrierFixture.timeouts),
        correspondents: [slow.mailbox])
      try slow.connect(by: plain, correspondents: [sending.mailbox])
      for letter in letters { try sending.put(letter, for: [slow]) }
      try slow.wait { try slow.store.first(in: slow.mailbox) != nil }
      // The second has no room, and is held.
      try slow.wait { queues.count(of: .touch, status: 200) > 3 }
      // All reservations end at once.
      queues.server.advance(by: .seconds(100))
      let first = try #require(try slow.store.first(in: slow.mailbox))
      try slow.store.remove(first)
      try queues.wait(for: slow) { slow.current.accepted.count == 2 }
      try queues.wait(for: slow) { queues.waitingCount(in: slow.mailbox) == 0 }
      #expect(Set(slow.current.accepted) == Set(letters.map(\.id)))
      queues.expectNothingCleared()
    }

    private static let oneMessage: InboxLimit = {
      var limit = InboxLimit()
      limit.messageCount = 1
      return limit
    }()

    @Test(arguments: [429, 503]) func `a pause that IronMQ asks for is kept`(status: Int) throws {
      try fixture.connectSender()
      queues.server.behave { $0.refusals[.post] = (1, status, "2") }
      let letter = fixture.letter(1)
      try sender.put(letter, for: [reader])
      try sender.requireDelivered([letter])
      let entries = queues.server.entries
      let index = try #require(entries.firstIndex { $0.status == status })
      // A poll that was under way ends at the same time.
      let next = try #require(
        entries[(index + 1)...].first { [.post, .queue].contains(LineFaults.Kind($0.request)) })
      #expect(next.time - entries[index].time >= .milliseconds(1_900))
      #expect(sender.current.failures.count == 1)
      #expect(sender.current.failures.first?.contains("asks for a pause (\(status))") == true)
    }

    /// IronMQ has no slots: the readers' inboxes do.
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

    @Test func `small messages share a request and large ones have several`() throws {
      let letters = (1...50).map { fixture.letter($0) }
      for letter in letters { try sender.put(letter, for: [reader]) }
      try fixture.connectSender()
      try sender.requireDelivered(letters)
      #expect(queues.count(of: .post, status: 201) < 10)
      let large = fixture.letter(99, Self.chunk)
      let before = queues.count(of: .post, status: 201)
      try sender.put(large, for: [reader])
      try sender.requireDelivered([large])
      #expect(queues.count(of: .post, status: 201) - before >= 3)
      try fixture.connect(reader)
      try reader.requireMail(letters + [large])
      // So are acknowledgements.
      try requireEmptied(reader)
      #expect(queues.count(of: .delete, status: 200) < 20)
    }
  }
}
