import CarrierProtocol
import Mailboxes
import MessageFormat
import TestSupport
import Testing

/// A message that has no room, there or here, holds up nothing behind it.
@Suite struct DeferredMessageTests {
  /// 46 chunks of payload: more than the credit.
  private static let large = 46 * Limits.chunkByteCountMax

  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  // MARK: - Mail

  /// An end with one message in its inbox, which leaves less than `large` of what may wait there.
  private func crowdedEnd(of line: Line) throws -> Line.End {
    var inboxMax = InboxLimit()
    inboxMax.byteCount = UInt64(Self.large)
    let alice = try line.end(inboxMax: inboxMax)
    try line.putMail(Letter(1))
    alice.client.connected(at: line.now)
    try line.run(alice)
    #expect(alice.accepted == [Letter(1).id])
    return alice
  }

  /// Up to the next look from the beginning, and what comes of it.
  private func lookAgain(_ alice: Line.End, _ line: Line) throws {
    line.advance(.seconds(120))
    try line.endWaits()
    line.advance(.seconds(30))
    try line.run(alice)
  }

  @Test func `mail behind a message without room is collected`() throws {
    let line = try Line(folder)
    let alice = try crowdedEnd(of: line)
    let large = Letter(2, payloadByteCount: Self.large)
    for letter in [large, Letter(3), Letter(4)] { try line.putMail(letter) }
    try line.endWaits()
    line.advance(.seconds(30))
    try line.run(alice)
    #expect(alice.accepted == [1, 3, 4].map { Letter($0).id } && alice.unkeptCount == 0)
    #expect(try line.carrier.store.message(large.id, in: TestHost.alice) != nil)
    for _ in 0..<5 { try lookAgain(alice, line) }
    try line.putMail(Letter(5))
    try lookAgain(alice, line)
    #expect(alice.accepted.last == Letter(5).id)
    #expect(alice.noRoomCount == 1)
  }

  @Test func `message that had no room comes when there is`() throws {
    let line = try Line(folder)
    let alice = try crowdedEnd(of: line)
    let large = Letter(2, payloadByteCount: Self.large)
    try line.putMail(large)
    try line.endWaits()
    line.advance(.seconds(30))
    try line.run(alice)
    #expect(alice.noRoomCount == 1)
    let handled = try #require(try alice.store.message(Letter(1).id, in: TestHost.alice))
    try alice.store.remove(handled)
    try lookAgain(alice, line)
    #expect(alice.accepted == [Letter(1).id, large.id])
    #expect(try line.carrier.store.first(in: TestHost.alice) == nil)
  }

  /// Its chunks are not sent for nothing each time.
  @Test func `message without room is not fetched again`() throws {
    let line = try Line(folder)
    let alice = try crowdedEnd(of: line)
    try line.putMail(Letter(2, payloadByteCount: Self.large))
    try line.endWaits()
    line.advance(.seconds(30))
    try line.run(alice)
    let before = alice.requests.count
    try lookAgain(alice, line)
    let credits: [UInt32] = alice.requests[before...].compactMap {
      if case .collect(_, let credit, _) = $0 { credit } else { nil }
    }
    #expect(credits == [0, Limits.creditMax])
  }

  /// On the disk, of which nothing is written yet.
  @Test func `message that the disk has no room for waits at the carrier`() throws {
    let line = try Line(folder)
    let alice = try line.end(byteCountMax: .max)
    alice.client.connected(at: line.now)
    try line.say(alice)
    let size = SealedSize(chunkCount: Limits.chunkCountMax, byteCount: 1 << 50)
    let entry = MailboxEntry(position: 1, id: Letter(1).id)
    let effect = try alice.client.handle(
      .delivery(entry, size, more: false), chunk: nil, at: line.now)
    guard case .noRoom = effect else {
      Issue.record("\(String(describing: effect))")
      return
    }
  }

  /// As a relay may that wants to keep us busy.
  @Test func `carrier without end of large messages is asked less and less`() throws {
    let line = try Line(folder)
    let alice = try line.end(byteCountMax: .max)
    alice.client.connected(at: line.now)
    let size = SealedSize(chunkCount: Limits.chunkCountMax, byteCount: 1 << 50)
    for number in 1...200 as ClosedRange<UInt32> {
      let before = alice.collectRequestCount
      try line.say(alice)
      guard alice.collectRequestCount > before else { break }
      let entry = MailboxEntry(position: UInt64(number), id: Letter(number).id)
      _ = try alice.client.handle(.delivery(entry, size, more: false), chunk: nil, at: line.now)
    }
    #expect((50...100).contains(alice.collectRequestCount))
    #expect(try #require(alice.client.nextAttempt) > line.now)
  }

  // MARK: - Deposits

  @Test func `messages behind one that is over the quota go on`() throws {
    let limit = QuotaLimit(byteCount: 1_000_000, messageCount: .max, ageMilliseconds: .max)
    let line = try Line(folder, quotas: DepositQuotas(depositor: .none, mailbox: limit))
    let alice = try line.end()
    for number in 100..<150 as Range<UInt32> {
      try alice.put(Letter(number, payloadByteCount: 2_000_000))
    }
    for number in [1, 2] as [UInt32] { try alice.put(Letter(number)) }
    alice.client.connected(at: line.now)
    try line.run(alice)
    #expect(alice.stored == [Letter(1).id, Letter(2).id])
    let count = alice.refusals.count
    #expect((1...20).contains(count))
    let time = try #require(alice.client.nextAttempt)
    #expect(time > line.now && time <= line.now + .seconds(10))
    try line.run(alice)
    #expect(alice.refusals.count == count)

    line.advance(.seconds(10))
    try line.run(alice)
    #expect(alice.refusals.count > count)
    try alice.put(Letter(3))
    try line.run(alice)
    #expect(alice.stored.last == Letter(3).id)
  }

  /// Where nothing has room, nothing is tried without a pause.
  @Test func `mailbox that takes nothing is not tried with every message`() throws {
    let limit = QuotaLimit(byteCount: .max, messageCount: 0, ageMilliseconds: .max)
    let line = try Line(folder, quotas: DepositQuotas(depositor: .none, mailbox: limit))
    let alice = try line.end()
    for number in 0..<200 as Range<UInt32> { try alice.put(Letter(number)) }
    alice.client.connected(at: line.now)
    try line.run(alice)
    #expect(alice.stored == [] && (1...20).contains(alice.refusals.count))
  }
}
