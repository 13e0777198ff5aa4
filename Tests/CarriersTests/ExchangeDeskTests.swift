import Carriers
import Foundation
import Mailboxes
import MessageFormat
import TestSupport
import Testing

/// The client's side of the protocol, request by request, against the carrier's.
@Suite struct ExchangeDeskTests {
  /// 46 chunks of payload: more than the credit.
  private static let large = 46 * Limits.chunkByteCountMax

  private let folder: TemporaryFolder
  private let line: Line

  init() throws {
    folder = try TemporaryFolder()
    line = try Line(folder)
  }

  @Test func bothWaysMoveOverOneLine() throws {
    let (up, down) = (
      Letter(1, payloadByteCount: Self.large), Letter(2, payloadByteCount: Self.large)
    )
    try line.putMail(down)
    let alice = try line.end()
    try alice.put(up)
    alice.desk.connected(at: line.now)
    try line.run(alice)
    #expect(alice.stored == [up.id] && alice.accepted == [down.id])
    #expect(try line.carrier.store.first(in: Desk.alice) == nil)
    #expect(try alice.store.first(in: Desk.server) == nil)
    #expect(alice.chunkRequestCount == up.chunks.count)
  }

  @Test(arguments: [0, 900_000])
  func messageThatTheDiskHasLostDoesNotHoldUpTheNext(byteCount: Int) throws {
    let alice = try line.end()
    let (lost, next) = (Letter(1, payloadByteCount: 1_000_000), Letter(2))
    try alice.put(lost)
    try alice.put(next)
    let path = alice.store.state.spool.path(of: "\(lost.id.hex).sealed")
    try #require(unsafe truncate(path, off_t(byteCount)) == 0)
    alice.desk.connected(at: line.now)
    try line.run(alice)
    #expect(alice.stored == [next.id])
    #expect(try !alice.store.contains(lost.id))
  }

  @Test func nothingIsSaidWithoutAConnection() throws {
    let alice = try line.end()
    try alice.put(Letter(1))
    try line.say(alice)
    #expect(alice.requests.isEmpty)
  }

  @Test func noMoreThanTheCreditIsUnderWay() throws {
    let alice = try line.end()
    try alice.put(Letter(1, payloadByteCount: Self.large))
    try alice.put(Letter(2))
    alice.desk.connected(at: line.now)
    try line.say(alice)
    #expect(alice.chunkRequestCount == Int(Limits.creditMax))
    // The next message begins when all of the one before is sent.
    #expect(alice.depositRequestCount == 1)
  }

  @Test func noMoreDepositsAreOpenThanTheCarrierAllows() throws {
    let alice = try line.end()
    for number in 0..<40 { try alice.put(Letter(UInt32(number))) }
    alice.desk.connected(at: line.now)
    try line.say(alice)
    #expect(alice.depositRequestCount == Limits.openDepositCountMax)
  }

  @Test func depositThatAnotherRunHasFinishedIsLetGo() throws {
    let letters = [Letter(1, payloadByteCount: 2 * Self.large), Letter(2), Letter(3)]
    let (daemon, hook) = (try line.end(1), try line.end(2))
    for letter in letters[..<2] { try daemon.put(letter) }
    daemon.desk.connected(at: line.now)
    try line.run(daemon, countMax: 20)
    hook.desk.connected(at: line.now)
    try line.run(hook)
    #expect(hook.stored == letters[..<2].map(\.id))
    // It was told nothing, and waits for an answer; only for a while.
    try daemon.put(letters[2])
    try line.run(daemon)
    #expect(daemon.stored == [])
    line.advance(.seconds(10))
    try line.run(daemon)
    #expect(daemon.stored == [letters[2].id] && daemon.depositRequestCount == 2)
  }

  @Test func depositThatAnotherRunHasTakenOverAndLeftIsOfferedAgain() throws {
    let letter = Letter(1, payloadByteCount: Self.large)
    let daemon = try line.end(1)
    try daemon.put(letter)
    daemon.desk.connected(at: line.now)
    try line.run(daemon, countMax: 20)
    _ = line.carrier.offer(letter, from: .connection(2, of: Desk.alice))
    try line.run(daemon)
    line.advance(.seconds(10))
    try line.run(daemon)
    #expect(daemon.depositRequestCount == 1)
    for _ in 0..<5 {
      line.advance(.seconds(10))
      try line.run(daemon)
    }
    #expect(daemon.stored == [letter.id] && daemon.depositRequestCount == 2)
    #expect(daemon.chunkRequestCount <= letter.chunks.count + Int(Limits.creditMax))
  }

  @Test func interruptedDepositGoesOnWhereTheCarrierIs() throws {
    let letter = Letter(1, payloadByteCount: Self.large)
    let alice = try line.end()
    try alice.put(letter)
    alice.desk.connected(at: line.now)
    try line.run(alice, countMax: 30)
    let answered = alice.chunkRequestCount
    alice.desk.interrupted()
    alice.desk.connected(at: line.now)
    try line.run(alice)
    #expect(alice.stored == [letter.id])
    // Half of what was sent was answered, and everything has arrived: nothing goes twice.
    #expect(answered > 16 && alice.chunkRequestCount == letter.chunks.count)
  }

  @Test func mailboxThatIsRefusedIsTriedAgainAndHoldsUpNobody() throws {
    let other = Mailbox(repeating: 0x77)
    let alice = try line.end(correspondents: [Desk.server, other])
    try alice.put(Letter(1), for: [other])
    try alice.put(Letter(2), for: [Desk.server, other])
    alice.desk.connected(at: line.now)
    try line.run(alice)
    #expect(alice.stored == [Letter(2).id])
    #expect(Set(alice.refusals.map(\.mailbox)) == [other])
    let count = alice.refusals.count
    let time = try #require(alice.desk.nextAttempt)
    #expect(time > line.now && time < line.now + .seconds(60))
    line.advance(time - line.now)
    try line.run(alice)
    #expect(alice.refusals.count > count)
  }

  /// Or the loop would turn without a pause until the carrier is back.
  @Test func withoutAConnectionNothingIsDueByItself() throws {
    let other = Mailbox(repeating: 0x77)
    let alice = try line.end(correspondents: [other])
    try alice.put(Letter(1), for: [other])
    alice.desk.connected(at: line.now)
    try line.run(alice)
    #expect(alice.desk.nextAttempt != nil)
    alice.desk.interrupted()
    #expect(alice.desk.nextAttempt == nil)
    alice.desk.connected(at: line.now)
    #expect(alice.desk.nextAttempt != nil)
  }

  @Test func diskThatIsFullStopsOnlyWhatComesAndOnlyForAWhile() throws {
    let down = Letter(1, payloadByteCount: Self.large)
    let alice = try line.end()
    let spool = alice.store.state.spool.path
    try FileManager.default.removeItem(atPath: spool)
    try line.putMail(down)
    alice.desk.connected(at: line.now)
    try line.run(alice)
    #expect(alice.unkeptCount == 1 && alice.accepted == [])
    try alice.put(Letter(2))
    try line.run(alice)
    #expect(alice.stored == [Letter(2).id])
    try FileManager.default.createDirectory(atPath: spool, withIntermediateDirectories: false)
    let time = try #require(alice.desk.nextAttempt)
    line.advance(time - line.now)
    try line.run(alice)
    #expect(alice.accepted == [down.id])
  }

  /// Or a carrier that never waits would keep both of us busy; what it says between two questions is heard all the same.
  @Test func carrierThatDoesNotWaitForMailIsAskedLessAndLess() throws {
    let alice = try line.end()
    alice.desk.connected(at: line.now)
    try line.say(alice)
    var pauses: [Duration] = []
    for _ in 0..<4 {
      for _ in 0..<3 { _ = try alice.desk.handle(.empty, chunk: nil, at: line.now) }
      #expect(try alice.desk.next(at: line.now) == nil)
      pauses.append(try #require(alice.desk.nextAttempt) - line.now)
      line.advance(pauses[pauses.count - 1])
      try line.say(alice)
    }
    #expect(alice.collectRequestCount == 5)
    #expect(pauses[0] >= .milliseconds(125) && pauses[3] >= .seconds(1))

    _ = try alice.desk.handle(.empty, chunk: nil, at: line.now)
    let letter = Letter(1)
    let entry = MailboxEntry(position: 1, id: letter.id)
    var effect = try alice.desk.handle(
      .delivery(entry, letter.size, more: false), chunk: nil, at: line.now)
    for (index, chunk) in letter.chunks.enumerated() {
      let name = ChunkName(id: letter.id, index: UInt32(index))
      effect = try alice.desk.handle(.chunk(name), chunk: chunk, at: line.now)
    }
    guard case .accept(let messages) = effect else {
      Issue.record("\(String(describing: effect))")
      return
    }
    alice.desk.accepted(messages, at: line.now)
    try line.say(alice)
    #expect(alice.collectRequestCount == 6)

    line.advance(.seconds(20))
    _ = try alice.desk.handle(.empty, chunk: nil, at: line.now)
    try line.say(alice)
    #expect(alice.collectRequestCount == 7)
  }

  /// Too large, and over and over again.
  @Test func carrierThatBringsNothingToTakeIsAskedLessAndLess() throws {
    let alice = try line.end()
    alice.desk.connected(at: line.now)
    try line.say(alice)
    let size = SealedSize(chunkCount: 20_000, byteCount: 2 << 30)
    let delivery = CarrierReply.delivery(
      MailboxEntry(position: 1, id: Letter(1).id), size, more: false)
    _ = try alice.desk.handle(delivery, chunk: nil, at: line.now)
    try line.say(alice)
    #expect(alice.collectRequestCount == 1)
    let time = try #require(alice.desk.nextAttempt)
    #expect(time > line.now)
    line.advance(time - line.now)
    try line.say(alice)
    #expect(alice.collectRequestCount == 2)
  }

  /// A carrier that acknowledges nothing for long is not told all of it at once, which it would hang up on.
  @Test func fewAcknowledgementsAreRepeatedOverTheNextConnection() throws {
    let alice = try line.end()
    alice.desk.connected(at: line.now)
    for number in 1...200 as ClosedRange<UInt32> {
      try line.say(alice)
      let letter = Letter(number)
      let entry = MailboxEntry(position: UInt64(number), id: letter.id)
      var effect = try alice.desk.handle(
        .delivery(entry, letter.size, more: false), chunk: nil, at: line.now)
      for (index, chunk) in letter.chunks.enumerated() {
        let name = ChunkName(id: letter.id, index: UInt32(index))
        effect = try alice.desk.handle(.chunk(name), chunk: chunk, at: line.now)
      }
      guard case .accept(let messages) = effect else {
        Issue.record("\(String(describing: effect))")
        return
      }
      alice.desk.accepted(messages, at: line.now)
    }
    alice.desk.interrupted()
    alice.desk.connected(at: line.now)
    let before = alice.requests.count
    try line.say(alice)
    #expect(alice.requests.count - before == 128 + 1)
  }

  /// Nothing of it is on the disk yet.
  @Test func messageThatHasNoRoomWaitsAtTheCarrier() throws {
    let alice = try line.end(byteCountMax: .max)
    alice.desk.connected(at: line.now)
    try line.say(alice)
    let count = Limits.chunkCountMax
    let size = SealedSize(chunkCount: count, byteCount: 1 << 50)
    let effect = try alice.desk.handle(
      .delivery(MailboxEntry(position: 1, id: Letter(1).id), size, more: false), chunk: nil,
      at: line.now)
    guard case .full = effect else {
      Issue.record("\(String(describing: effect))")
      return
    }
  }

  /// What is said about other things is no answer to the question for mail.
  @Test func chunksOfNothingDoNotPassForAnAnswer() throws {
    let alice = try line.end()
    alice.desk.connected(at: line.now)
    try line.say(alice)
    let overdue = try #require(alice.desk.overdue)
    line.advance(.seconds(20))
    _ = try alice.desk.handle(
      .chunk(ChunkName(id: Letter(3).id, index: 1)), chunk: [1], at: line.now)
    _ = try alice.desk.handle(.refused(Letter(3).id, .fault, detail: ""), chunk: nil, at: line.now)
    #expect(alice.desk.overdue == overdue)
  }

  @Test func messageThatIsTakenBackInTheMiddleIsLeft() throws {
    let letters = [Letter(1, payloadByteCount: Self.large), Letter(2)]
    for letter in letters { try line.putMail(letter) }
    let alice = try line.end()
    alice.desk.connected(at: line.now)
    try line.run(alice, countMax: 1)
    let gone = try #require(try line.carrier.store.message(letters[0].id, in: Desk.alice))
    try line.carrier.store.remove(gone)
    try line.run(alice)
    line.advance(.seconds(1))
    try line.run(alice)
    #expect(alice.accepted == [letters[1].id])
  }

  @Test(arguments: [
    CarrierReply.chunk(ChunkName(id: Letter(1).id, index: 7)), .refused(nil, .fault, detail: ""),
    .delivery(
      MailboxEntry(position: 9, id: Letter(9).id), SealedSize(chunkCount: 2, byteCount: 500),
      more: false),
  ])
  func carrierThatKeepsNoOrderIsLeft(_ reply: CarrierReply) throws {
    try line.putMail(Letter(1, payloadByteCount: Self.large))
    let alice = try line.end()
    alice.desk.connected(at: line.now)
    try line.say(alice)
    let entry = MailboxEntry(position: 1, id: Letter(1).id)
    let size = Letter(1, payloadByteCount: Self.large).size
    _ = try alice.desk.handle(.delivery(entry, size, more: false), chunk: nil, at: line.now)
    #expect(throws: ExchangeFault.self) {
      _ = try alice.desk.handle(reply, chunk: [1], at: line.now)
    }
  }
}
