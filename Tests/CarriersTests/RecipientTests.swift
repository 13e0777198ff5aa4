import CarrierProtocol
import Mailboxes
import MessageFormat
import TestSupport
import Testing

/// What a host believes of an offer, and what becomes of a message that is there already.
@Suite struct RecipientTests {
  private let folder: TemporaryFolder
  private let host: TestHost
  private let sender = MailboxServer.Peer.connection(1, of: TestHost.mailbox)

  init() throws {
    folder = try TemporaryFolder()
    host = try TestHost(folder)
  }

  private func expectMalformed(
    _ letter: Letter, in replies: [CarrierReply], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    guard case .refused(letter.id, .malformed, _, _) = replies.last else {
      Issue.record("\(replies)", sourceLocation: sourceLocation)
      return
    }
    #expect(!host.server.hasFinished, sourceLocation: sourceLocation)
  }

  @Test func `id that is not the digest of the header is malformed`() {
    let (letter, other) = (Letter(1), Letter(2))
    _ = host.offer(letter, in: [TestHost.alice], from: sender)
    let name = CarrierRequest.chunk(ChunkName(id: letter.id, index: 0)).encoded()
    let replies = host.server.handle([name, other.chunks[0]], from: sender).map(\.reply)
    expectMalformed(letter, in: replies)
    #expect(host.chunk(letter, 0, from: sender).isEmpty)
  }

  @Test func `mailbox that is no recipient is malformed`() {
    let letter = Letter(1, for: [TestHost.alice])
    _ = host.offer(letter, in: [TestHost.alice, TestHost.bob], from: sender)
    expectMalformed(letter, in: host.chunk(letter, 0, from: sender))
  }

  @Test func `header that is none is malformed`() {
    let letter = Letter(1, for: [])
    _ = host.offer(letter, in: [TestHost.alice], from: sender)
    expectMalformed(letter, in: host.chunk(letter, 0, from: sender))
  }

  /// A message that was refused because of one mailbox is repeated for each: its bytes travel once.
  @Test(arguments: [100, 1_000_000])
  func `stored message gets more mailboxes without its bytes`(payloadByteCount: Int) throws {
    let letter = Letter(1, payloadByteCount: payloadByteCount)
    _ = host.upload(letter, in: [TestHost.alice], from: sender)
    _ = host.server.flush()
    #expect(host.offer(letter, in: [TestHost.bob], from: sender).isEmpty)
    #expect(host.server.flush().map(\.reply) == [.stored(letter.id)])
    #expect(try host.store.first(in: TestHost.bob)?.chunks() == letter.chunks)
    #expect(try host.store.messages(in: TestHost.alice, countMax: 9).count == 1)
    #expect(
      host.offer(letter, in: [TestHost.alice, TestHost.bob], from: sender) == [.stored(letter.id)])
  }

  @Test func `stored message comes to nobody who is no recipient`() throws {
    let letter = Letter(1, for: [TestHost.alice])
    _ = host.upload(letter, in: [TestHost.alice], from: sender)
    _ = host.server.flush()
    expectMalformed(letter, in: host.offer(letter, in: [TestHost.bob], from: sender))
  }

  /// What was refused for one of its mailboxes is behind nothing that was offered after it.
  @Test func `stored message that gets more mailboxes keeps its place`() throws {
    let (first, second) = (Letter(1), Letter(2))
    _ = host.upload(first, in: [TestHost.alice], from: sender)
    _ = host.server.flush()
    _ = host.offer(first, in: [TestHost.bob], from: sender)
    _ = host.upload(second, in: [TestHost.alice, TestHost.bob], from: sender)
    _ = host.server.flush()
    for mailbox in [TestHost.alice, TestHost.bob] {
      #expect(
        try host.store.messages(in: mailbox, countMax: 9).map(\.id) == [first.id, second.id])
    }
  }

  /// Its last reader takes it between the offer and the disk.
  @Test func `message that goes meanwhile is asked for again`() throws {
    let letter = Letter(1)
    _ = host.upload(letter, in: [TestHost.alice], from: sender)
    _ = host.server.flush()
    let entry = try #require(try host.store.first(in: TestHost.alice)).entry
    _ = host.ask(.acknowledge(entry), from: .connection(1, of: TestHost.alice))
    _ = host.offer(letter, in: [TestHost.bob], from: sender)
    #expect(
      host.server.flush().map(\.reply) == [
        .acknowledged(entry), .proceed(ChunkName(id: letter.id, index: 0), credit: 32),
      ])
    for index in letter.chunks.indices { _ = host.chunk(letter, index, from: sender) }
    #expect(host.server.flush().map(\.reply) == [.stored(letter.id)])
    #expect(try host.store.first(in: TestHost.bob)?.chunks() == letter.chunks)
  }

  /// Nobody says of another's message that it is stored where it is not.
  @Test func `another's message is not passed off as stored`() throws {
    let letter = Letter(1, for: [TestHost.mailbox, TestHost.alice])
    _ = host.upload(letter, in: [TestHost.alice], from: sender)
    _ = host.server.flush()
    let alice = MailboxServer.Peer.connection(1, of: TestHost.alice)
    guard case .refused(letter.id, .notAllowed, _, _) = host.offer(letter, from: alice).first else {
      Issue.record("not refused")
      return
    }
    #expect(try host.store.first(in: TestHost.mailbox) == nil)
  }

  @Test func `slot holds the newest message of its depositor`() throws {
    let slot = Slot(repeating: 9)
    let heartbeats = (1...3).map { Letter($0, payloadByteCount: 0, slot: slot) }
    for heartbeat in heartbeats.dropLast() {
      _ = host.upload(heartbeat, in: [TestHost.alice, TestHost.bob], from: sender)
      _ = host.server.flush()
    }
    // In one flush with a message that is in no slot.
    _ = host.upload(Letter(7), in: [TestHost.alice], from: sender)
    _ = host.upload(heartbeats[2], in: [TestHost.alice], from: sender)
    _ = host.server.flush()
    #expect(
      try host.store.messages(in: TestHost.alice, countMax: 9).map(\.id)
        == [Letter(7).id, heartbeats[2].id])
    #expect(
      try host.store.messages(in: TestHost.bob, countMax: 9).map(\.id) == [heartbeats[1].id])
  }

  @Test func `slot of another depositor is another`() throws {
    let slot = Slot(repeating: 9)
    for (number, depositor) in [(UInt32(1), TestHost.alice), (2, TestHost.bob)] {
      let letter = Letter(number, slot: slot)
      _ = host.upload(letter, from: .connection(1, of: depositor))
    }
    _ = host.server.flush()
    #expect(try host.store.messages(in: TestHost.mailbox, countMax: 9).count == 2)
  }

  @Test func `large message that leaves its slot leaves the disk`() throws {
    let slot = Slot(repeating: 9)
    for number in 1...3 {
      let letter = Letter(UInt32(number), payloadByteCount: 1_000_000, slot: slot)
      _ = host.upload(letter, in: [TestHost.alice], from: sender)
      _ = host.server.flush()
    }
    #expect(try host.store.state.spool.names().count == 1)
  }
}
