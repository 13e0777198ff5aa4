import Carriers
import Mailboxes
import MessageFormat
import TestSupport
import Testing

/// What an identity may use of a carrier's disk.
@Suite struct QuotaTests {
  private static let size = Letter(1).size.byteCount
  private static let day: UInt64 = 24 * 3_600 * 1_000

  private let folder: TemporaryFolder
  private let peer = MailboxServer.Peer.connection(1, of: Desk.alice)
  private let bob = MailboxServer.Peer.connection(1, of: Desk.bob)
  private let sender = MailboxServer.Peer.connection(1, of: Desk.server)

  init() throws { folder = try TemporaryFolder() }

  private func desk(
    bytes: UInt64 = .max, messages: UInt64 = .max, days: UInt64 = 1_000, ofMailbox: Bool
  ) throws -> Desk {
    let limit = QuotaLimit(
      byteCount: bytes, messageCount: messages, ageMilliseconds: days * Self.day)
    return try Desk(
      folder,
      quotas: ofMailbox
        ? DepositQuotas(depositor: .none, mailbox: limit)
        : DepositQuotas(depositor: limit, mailbox: .none))
  }

  private func store(_ letter: Letter, from peer: MailboxServer.Peer, at desk: Desk) {
    _ = desk.upload(letter, from: peer)
    #expect(desk.desk.flush().map(\.reply) == [.stored(letter.id)])
  }

  private func expectOver(
    _ replies: [CarrierReply], _ words: String..., sourceLocation: SourceLocation = #_sourceLocation
  ) {
    guard replies.count == 1, case .refused(_, .overQuota, let detail) = replies[0] else {
      Issue.record("\(replies)", sourceLocation: sourceLocation)
      return
    }
    for word in words { #expect(detail.contains(word), sourceLocation: sourceLocation) }
  }

  private func expectRoom(
    _ replies: [CarrierReply], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    guard case .proceed = replies.first else {
      Issue.record("\(replies)", sourceLocation: sourceLocation)
      return
    }
  }

  @Test func mailboxTakesSoManyMessagesFromAllTogether() throws {
    let desk = try desk(messages: 2, ofMailbox: true)
    store(Letter(1), from: peer, at: desk)
    store(Letter(2), from: bob, at: desk)
    expectOver(
      desk.offer(Letter(3), from: bob), "mailbox \(Desk.server.abbreviated)", "3 messages", "of 2")
    // What is stored already takes no more room.
    #expect(desk.offer(Letter(1), from: peer) == [.stored(Letter(1).id)])
    let entry = try #require(try desk.store.first(in: Desk.server)).entry
    _ = desk.ask(.acknowledge(entry), from: sender)
    _ = desk.desk.flush()
    expectRoom(desk.offer(Letter(3), from: bob))
  }

  @Test func mailboxTakesSoManyBytes() throws {
    let desk = try desk(bytes: 2 * Self.size, ofMailbox: true)
    store(Letter(1), from: peer, at: desk)
    expectOver(desk.offer(Letter(2, payloadByteCount: 101), from: bob), "\(2 * Self.size)")
    store(Letter(3), from: bob, at: desk)
    expectOver(desk.offer(Letter(4), from: peer), "\(3 * Self.size) bytes")
  }

  @Test func oneMailboxThatIsFullDoesNotKeepOthersFromTheirs() throws {
    let desk = try desk(messages: 1, ofMailbox: true)
    _ = desk.upload(Letter(1), in: [Desk.alice], from: sender)
    _ = desk.desk.flush()
    let letter = Letter(2)
    expectOver(
      desk.offer(letter, in: [Desk.alice, Desk.bob], from: sender),
      "mailbox \(Desk.alice.abbreviated)")
    _ = desk.upload(letter, in: [Desk.bob], from: sender)
    #expect(desk.desk.flush().map(\.reply) == [.stored(letter.id)])
    expectOver(desk.offer(letter, in: [Desk.alice], from: sender))
  }

  @Test func depositorHasSoMuchHowManyMailboxesItMayBeIn() throws {
    let desk = try desk(bytes: 2 * Self.size, messages: 2, ofMailbox: false)
    _ = desk.upload(Letter(1), in: [Desk.alice, Desk.bob], from: sender)
    _ = desk.upload(Letter(2), in: [Desk.alice, Desk.bob], from: sender)
    _ = desk.desk.flush()
    expectOver(
      desk.offer(Letter(3), in: [Desk.bob], from: sender),
      "depositor \(Desk.server.abbreviated)", "of 2")
    expectRoom(desk.offer(Letter(3), from: peer))
    // It is there until its last reader has it.
    for reader in [peer, bob] {
      let entry = try #require(try desk.store.message(Letter(1).id, in: reader.mailbox)).entry
      _ = desk.ask(.acknowledge(entry), from: reader)
      _ = desk.desk.flush()
      if reader == peer { expectOver(desk.offer(Letter(3), in: [Desk.bob], from: sender)) }
    }
    expectRoom(desk.offer(Letter(3), in: [Desk.bob], from: sender))
  }

  @Test func whatIsUnderWayCountsForItsDepositor() throws {
    let desk = try desk(messages: 2, ofMailbox: false)
    expectRoom(desk.offer(Letter(1), from: peer))
    // Whole, and not on the disk yet.
    _ = desk.upload(Letter(2), from: peer)
    expectOver(desk.offer(Letter(3), from: peer))
    // One that ends without success gives its room back.
    let wrong = CarrierRequest.chunk(ChunkName(id: Letter(1).id, index: 5)).encoded()
    _ = desk.desk.handle([wrong, [1]], from: peer)
    expectRoom(desk.offer(Letter(3), from: peer))
    _ = desk.desk.flush()
    expectOver(desk.offer(Letter(4), from: peer))
  }

  @Test(arguments: [true, false])
  func oldestMessageMayBeSoOld(ofMailbox: Bool) throws {
    let desk = try desk(days: 2, ofMailbox: ofMailbox)
    store(Letter(1), from: peer, at: desk)
    desk.advance(milliseconds: 2 * Self.day)
    store(Letter(2), from: peer, at: desk)
    desk.advance(milliseconds: Self.day)
    expectOver(desk.offer(Letter(3), from: peer), "3 days", "of 2")
    let entry = try #require(try desk.store.first(in: Desk.server)).entry
    _ = desk.ask(.acknowledge(entry), from: sender)
    _ = desk.desk.flush()
    expectRoom(desk.offer(Letter(3), from: peer))
  }

  @Test(arguments: [100, 1_000_000])
  func messageThatNobodyCouldAcceptAnyMoreIsSwept(payloadByteCount: Int) throws {
    let desk = try Desk(folder)
    let old = Letter(1, payloadByteCount: payloadByteCount)
    store(old, from: peer, at: desk)
    desk.advance(milliseconds: Limits.storedMillisecondsMax)
    store(Letter(2), from: peer, at: desk)
    #expect(try !desk.desk.maintain())
    #expect(try desk.store.messages(in: Desk.server, countMax: 9).count == 2)
    desk.advance(milliseconds: 1)
    #expect(try !desk.desk.maintain())
    #expect(try desk.store.messages(in: Desk.server, countMax: 9).map(\.id) == [Letter(2).id])
    #expect(try desk.store.state.spool.names() == [])
    let usage = try desk.store.usage(of: Desk.server, as: .mailbox)
    #expect(usage.messageCount == 1)
    #expect(usage.byteCount == Letter(2).size.byteCount)
  }
}
