import Carriers
import Mailboxes
import MessageFormat
import TestSupport
import Testing

/// What a desk believes of an offer, and what becomes of a message that is there already.
@Suite struct RecipientTests {
  private let folder: TemporaryFolder
  private let desk: Desk
  private let sender = MailboxServer.Peer.connection(1, of: Desk.server)

  init() throws {
    folder = try TemporaryFolder()
    desk = try Desk(folder)
  }

  private func expectMalformed(
    _ letter: Letter, in replies: [CarrierReply], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    guard case .refused(letter.id, .malformed, _) = replies.last else {
      Issue.record("\(replies)", sourceLocation: sourceLocation)
      return
    }
    #expect(!desk.desk.hasFinished, sourceLocation: sourceLocation)
  }

  @Test func idThatIsNotTheDigestOfTheHeaderIsMalformed() {
    let (letter, other) = (Letter(1), Letter(2))
    _ = desk.offer(letter, in: [Desk.alice], from: sender)
    let name = CarrierRequest.chunk(ChunkName(id: letter.id, index: 0)).encoded()
    let replies = desk.desk.handle([name, other.chunks[0]], from: sender).map(\.reply)
    expectMalformed(letter, in: replies)
    #expect(desk.chunk(letter, 0, from: sender).isEmpty)
  }

  @Test func mailboxThatIsNoRecipientIsMalformed() {
    let letter = Letter(1, for: [Desk.alice])
    _ = desk.offer(letter, in: [Desk.alice, Desk.bob], from: sender)
    expectMalformed(letter, in: desk.chunk(letter, 0, from: sender))
  }

  @Test func headerThatIsNoneIsMalformed() {
    let letter = Letter(1, for: [])
    _ = desk.offer(letter, in: [Desk.alice], from: sender)
    expectMalformed(letter, in: desk.chunk(letter, 0, from: sender))
  }

  /// A message that was refused because of one mailbox is repeated for each: its bytes travel once.
  @Test(arguments: [100, 1_000_000])
  func storedMessageGetsMoreMailboxesWithoutItsBytes(payloadByteCount: Int) throws {
    let letter = Letter(1, payloadByteCount: payloadByteCount)
    _ = desk.upload(letter, in: [Desk.alice], from: sender)
    _ = desk.desk.flush()
    #expect(desk.offer(letter, in: [Desk.bob], from: sender).isEmpty)
    #expect(desk.desk.flush().map(\.reply) == [.stored(letter.id)])
    #expect(try desk.store.first(in: Desk.bob)?.chunks() == letter.chunks)
    #expect(try desk.store.messages(in: Desk.alice, countMax: 9).count == 1)
    #expect(desk.offer(letter, in: [Desk.alice, Desk.bob], from: sender) == [.stored(letter.id)])
  }

  @Test func storedMessageComesToNobodyWhoIsNoRecipient() throws {
    let letter = Letter(1, for: [Desk.alice])
    _ = desk.upload(letter, in: [Desk.alice], from: sender)
    _ = desk.desk.flush()
    expectMalformed(letter, in: desk.offer(letter, in: [Desk.bob], from: sender))
  }

  /// What was refused for one of its mailboxes is behind nothing that was offered after it.
  @Test func storedMessageThatGetsMoreMailboxesKeepsItsPlace() throws {
    let (first, second) = (Letter(1), Letter(2))
    _ = desk.upload(first, in: [Desk.alice], from: sender)
    _ = desk.desk.flush()
    _ = desk.offer(first, in: [Desk.bob], from: sender)
    _ = desk.upload(second, in: [Desk.alice, Desk.bob], from: sender)
    _ = desk.desk.flush()
    for mailbox in [Desk.alice, Desk.bob] {
      #expect(
        try desk.store.messages(in: mailbox, countMax: 9).map(\.id) == [first.id, second.id])
    }
  }

  /// Its last reader takes it between the offer and the disk.
  @Test func messageThatGoesMeanwhileIsAskedForAgain() throws {
    let letter = Letter(1)
    _ = desk.upload(letter, in: [Desk.alice], from: sender)
    _ = desk.desk.flush()
    let entry = try #require(try desk.store.first(in: Desk.alice)).entry
    _ = desk.ask(.acknowledge(entry), from: .connection(1, of: Desk.alice))
    _ = desk.offer(letter, in: [Desk.bob], from: sender)
    #expect(
      desk.desk.flush().map(\.reply) == [
        .acknowledged(entry), .proceed(ChunkName(id: letter.id, index: 0), credit: 32),
      ])
    for index in letter.chunks.indices { _ = desk.chunk(letter, index, from: sender) }
    #expect(desk.desk.flush().map(\.reply) == [.stored(letter.id)])
    #expect(try desk.store.first(in: Desk.bob)?.chunks() == letter.chunks)
  }

  /// Nobody says of another's message that it is stored where it is not.
  @Test func anothersMessageIsNotPassedOffAsStored() throws {
    let letter = Letter(1, for: [Desk.server, Desk.alice])
    _ = desk.upload(letter, in: [Desk.alice], from: sender)
    _ = desk.desk.flush()
    let alice = MailboxServer.Peer.connection(1, of: Desk.alice)
    guard case .refused(letter.id, .notAllowed, _) = desk.offer(letter, from: alice).first else {
      Issue.record("not refused")
      return
    }
    #expect(try desk.store.first(in: Desk.server) == nil)
  }

  @Test func slotHoldsTheNewestMessageOfItsDepositor() throws {
    let slot = Slot(repeating: 9)
    let heartbeats = (1...3).map { Letter($0, payloadByteCount: 0, slot: slot) }
    for heartbeat in heartbeats.dropLast() {
      _ = desk.upload(heartbeat, in: [Desk.alice, Desk.bob], from: sender)
      _ = desk.desk.flush()
    }
    // In one flush with a message that is in no slot.
    _ = desk.upload(Letter(7), in: [Desk.alice], from: sender)
    _ = desk.upload(heartbeats[2], in: [Desk.alice], from: sender)
    _ = desk.desk.flush()
    #expect(
      try desk.store.messages(in: Desk.alice, countMax: 9).map(\.id)
        == [Letter(7).id, heartbeats[2].id])
    #expect(
      try desk.store.messages(in: Desk.bob, countMax: 9).map(\.id) == [heartbeats[1].id])
  }

  @Test func slotOfAnotherDepositorIsAnother() throws {
    let slot = Slot(repeating: 9)
    for (number, depositor) in [(UInt32(1), Desk.alice), (2, Desk.bob)] {
      let letter = Letter(number, slot: slot)
      _ = desk.upload(letter, from: .connection(1, of: depositor))
    }
    _ = desk.desk.flush()
    #expect(try desk.store.messages(in: Desk.server, countMax: 9).count == 2)
  }

  @Test func largeMessageThatLeavesItsSlotLeavesTheDisk() throws {
    let slot = Slot(repeating: 9)
    for number in 1...3 {
      let letter = Letter(UInt32(number), payloadByteCount: 1_000_000, slot: slot)
      _ = desk.upload(letter, in: [Desk.alice], from: sender)
      _ = desk.desk.flush()
    }
    #expect(try desk.store.state.spool.names().count == 1)
  }
}
