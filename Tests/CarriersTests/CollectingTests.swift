import CarrierProtocol
import Mailboxes
import MessageFormat
import TestSupport
import Testing

/// How a client asks for mail, and what it does with what the carrier says.
@Suite struct CollectingTests {
  /// 46 chunks of payload: more than the credit.
  private static let large = 46 * Limits.chunkByteCountMax

  private let folder: TemporaryFolder
  private let line: Line

  init() throws {
    folder = try TemporaryFolder()
    line = try Line(folder)
  }

  /// All of a letter that was asked for, whose position is its number; it is accepted.
  private func bring(_ letter: Letter, to end: Line.End) throws {
    let entry = MailboxEntry(position: UInt64(letter.number), id: letter.id)
    var effect = try end.client.handle(
      .delivery(entry, letter.size, more: false), chunk: nil, at: line.now)
    for (index, chunk) in letter.chunks.enumerated() {
      let name = ChunkName(id: letter.id, index: UInt32(index))
      effect = try end.client.handle(.chunk(name), chunk: chunk, at: line.now)
    }
    guard case .accept(let messages) = effect else {
      Issue.record("\(String(describing: effect))")
      return
    }
    end.client.accepted(messages, at: line.now)
  }

  /// Or a carrier that never waits would keep both of us busy; what it says between two questions is heard all the same.
  @Test func `carrier that does not wait for mail is asked less and less`() throws {
    let alice = try line.end()
    alice.client.connected(at: line.now)
    try line.say(alice)
    var pauses: [Duration] = []
    for _ in 0..<4 {
      for _ in 0..<3 { _ = try alice.client.handle(.empty, chunk: nil, at: line.now) }
      #expect(try alice.client.next(at: line.now) == nil)
      pauses.append(try #require(alice.client.nextAttempt) - line.now)
      line.advance(pauses[pauses.count - 1])
      try line.say(alice)
    }
    #expect(alice.collectRequestCount == 5)
    #expect(pauses[0] >= .milliseconds(125) && pauses[3] >= .seconds(1))

    _ = try alice.client.handle(.empty, chunk: nil, at: line.now)
    try bring(Letter(1), to: alice)
    try line.say(alice)
    #expect(alice.collectRequestCount == 6)

    line.advance(.seconds(20))
    _ = try alice.client.handle(.empty, chunk: nil, at: line.now)
    try line.say(alice)
    #expect(alice.collectRequestCount == 7)
  }

  /// Too large, and over and over again.
  @Test func `carrier that brings nothing to take is asked less and less`() throws {
    let alice = try line.end()
    alice.client.connected(at: line.now)
    try line.say(alice)
    let size = SealedSize(chunkCount: 20_000, byteCount: 2 << 30)
    let delivery = CarrierReply.delivery(
      MailboxEntry(position: 1, id: Letter(1).id), size, more: false)
    _ = try alice.client.handle(delivery, chunk: nil, at: line.now)
    try line.say(alice)
    #expect(alice.collectRequestCount == 1)
    let time = try #require(alice.client.nextAttempt)
    #expect(time > line.now)
    line.advance(time - line.now)
    try line.say(alice)
    #expect(alice.collectRequestCount == 2)
  }

  /// A carrier that acknowledges nothing for long is not told all of it at once, which it would hang up on.
  @Test func `few acknowledgements are repeated over the next connection`() throws {
    let alice = try line.end()
    alice.client.connected(at: line.now)
    for number in 1...200 as ClosedRange<UInt32> {
      try line.say(alice)
      try bring(Letter(number), to: alice)
    }
    alice.client.interrupted()
    alice.client.connected(at: line.now)
    let before = alice.requests.count
    try line.say(alice)
    #expect(alice.requests.count - before == 128 + 1)
  }

  /// What is said about other things is no answer to the question for mail.
  @Test func `chunks of nothing do not pass for an answer`() throws {
    let alice = try line.end()
    alice.client.connected(at: line.now)
    try line.say(alice)
    let overdue = try #require(alice.client.overdue)
    line.advance(.seconds(20))
    _ = try alice.client.handle(
      .chunk(ChunkName(id: Letter(3).id, index: 1)), chunk: [1], at: line.now)
    _ = try alice.client.handle(
      .refused(Letter(3).id, .fault, mailboxes: [], detail: ""), chunk: nil, at: line.now)
    #expect(alice.client.overdue == overdue)
  }

  @Test func `message that is taken back in the middle is left`() throws {
    let letters = [Letter(1, payloadByteCount: Self.large), Letter(2)]
    for letter in letters { try line.putMail(letter) }
    let alice = try line.end()
    alice.client.connected(at: line.now)
    try line.run(alice, countMax: 1)
    let gone = try #require(try line.carrier.store.message(letters[0].id, in: TestHost.alice))
    try line.carrier.store.remove(gone)
    try line.run(alice)
    line.advance(.seconds(1))
    try line.run(alice)
    #expect(alice.accepted == [letters[1].id])
  }

  @Test(arguments: [
    CarrierReply.chunk(ChunkName(id: Letter(1).id, index: 7)),
    .refused(nil, .fault, mailboxes: [], detail: ""),
    .delivery(
      MailboxEntry(position: 9, id: Letter(9).id), SealedSize(chunkCount: 2, byteCount: 500),
      more: false),
  ])
  func `carrier that keeps no order is left`(_ reply: CarrierReply) throws {
    try line.putMail(Letter(1, payloadByteCount: Self.large))
    let alice = try line.end()
    alice.client.connected(at: line.now)
    try line.say(alice)
    let entry = MailboxEntry(position: 1, id: Letter(1).id)
    let size = Letter(1, payloadByteCount: Self.large).size
    _ = try alice.client.handle(.delivery(entry, size, more: false), chunk: nil, at: line.now)
    #expect(throws: ExchangeFault.self) {
      _ = try alice.client.handle(reply, chunk: [1], at: line.now)
    }
  }
}
