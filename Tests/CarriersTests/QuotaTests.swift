import CarrierProtocol
import Mailboxes
import MessageFormat
import TestSupport
import Testing

/// What an identity may use of a carrier's disk.
@Suite struct QuotaTests {
  private static let size = Letter(1).size.byteCount
  private static let day: UInt64 = 24 * 3_600 * 1_000

  private let folder: TemporaryFolder
  private let peer = MailboxServer.Peer.connection(1, of: TestHost.alice)
  private let bob = MailboxServer.Peer.connection(1, of: TestHost.bob)
  private let sender = MailboxServer.Peer.connection(1, of: TestHost.mailbox)

  init() throws { folder = try TemporaryFolder() }

  private func host(
    bytes: UInt64 = .max, messages: UInt64 = .max, days: UInt64 = 1_000, ofMailbox: Bool
  ) throws -> TestHost {
    let limit = QuotaLimit(
      byteCount: bytes, messageCount: messages, ageMilliseconds: days * Self.day)
    return try TestHost(
      folder,
      quotas: ofMailbox
        ? DepositQuotas(depositor: .none, mailbox: limit)
        : DepositQuotas(depositor: limit, mailbox: .none))
  }

  private func store(_ letter: Letter, from peer: MailboxServer.Peer, at host: TestHost) {
    _ = host.upload(letter, from: peer)
    #expect(host.server.flush().map(\.reply) == [.stored(letter.id)])
  }

  private func expectOver(
    _ replies: [CarrierReply], _ words: String..., sourceLocation: SourceLocation = #_sourceLocation
  ) {
    guard replies.count == 1, case .refused(_, .overQuota, _, let detail) = replies[0] else {
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

  @Test func `mailbox takes so many messages from all together`() throws {
    let host = try host(messages: 2, ofMailbox: true)
    store(Letter(1), from: peer, at: host)
    store(Letter(2), from: bob, at: host)
    expectOver(
      host.offer(Letter(3), from: bob), "mailbox \(TestHost.mailbox.abbreviated)", "3 messages",
      "of 2")
    // What is stored already takes no more room.
    #expect(host.offer(Letter(1), from: peer) == [.stored(Letter(1).id)])
    let entry = try #require(try host.store.first(in: TestHost.mailbox)).entry
    _ = host.ask(.acknowledge(entry), from: sender)
    _ = host.server.flush()
    expectRoom(host.offer(Letter(3), from: bob))
  }

  @Test func `mailbox takes so many bytes`() throws {
    let host = try host(bytes: 2 * Self.size, ofMailbox: true)
    store(Letter(1), from: peer, at: host)
    expectOver(host.offer(Letter(2, payloadByteCount: 101), from: bob), "\(2 * Self.size)")
    store(Letter(3), from: bob, at: host)
    expectOver(host.offer(Letter(4), from: peer), "\(3 * Self.size) bytes")
  }

  @Test func `one mailbox that is full does not keep others from theirs`() throws {
    let host = try host(messages: 1, ofMailbox: true)
    _ = host.upload(Letter(1), in: [TestHost.alice], from: sender)
    _ = host.server.flush()
    let letter = Letter(2)
    expectOver(
      host.offer(letter, in: [TestHost.alice, TestHost.bob], from: sender),
      "mailbox \(TestHost.alice.abbreviated)")
    _ = host.upload(letter, in: [TestHost.bob], from: sender)
    #expect(host.server.flush().map(\.reply) == [.stored(letter.id)])
    expectOver(host.offer(letter, in: [TestHost.alice], from: sender))
  }

  @Test func `depositor has so much how many mailboxes it may be in`() throws {
    let host = try host(bytes: 2 * Self.size, messages: 2, ofMailbox: false)
    _ = host.upload(Letter(1), in: [TestHost.alice, TestHost.bob], from: sender)
    _ = host.upload(Letter(2), in: [TestHost.alice, TestHost.bob], from: sender)
    _ = host.server.flush()
    expectOver(
      host.offer(Letter(3), in: [TestHost.bob], from: sender),
      "depositor \(TestHost.mailbox.abbreviated)", "of 2")
    expectRoom(host.offer(Letter(3), from: peer))
    // It is there until its last reader has it.
    for reader in [peer, bob] {
      let entry = try #require(try host.store.message(Letter(1).id, in: reader.mailbox)).entry
      _ = host.ask(.acknowledge(entry), from: reader)
      _ = host.server.flush()
      if reader == peer { expectOver(host.offer(Letter(3), in: [TestHost.bob], from: sender)) }
    }
    expectRoom(host.offer(Letter(3), in: [TestHost.bob], from: sender))
  }

  @Test func `what is under way counts for its depositor`() throws {
    let host = try host(messages: 2, ofMailbox: false)
    expectRoom(host.offer(Letter(1), from: peer))
    // Whole, and not on the disk yet.
    _ = host.upload(Letter(2), from: peer)
    expectOver(host.offer(Letter(3), from: peer))
    // One that ends without success gives its room back.
    let wrong = CarrierRequest.chunk(ChunkName(id: Letter(1).id, index: 5)).encoded()
    _ = host.server.handle([wrong, [1]], from: peer)
    expectRoom(host.offer(Letter(3), from: peer))
    _ = host.server.flush()
    expectOver(host.offer(Letter(4), from: peer))
  }

  @Test(arguments: [true, false])
  func `oldest message may be so old`(ofMailbox: Bool) throws {
    let host = try host(days: 2, ofMailbox: ofMailbox)
    store(Letter(1), from: peer, at: host)
    host.advance(milliseconds: 2 * Self.day)
    store(Letter(2), from: peer, at: host)
    host.advance(milliseconds: Self.day)
    expectOver(host.offer(Letter(3), from: peer), "3 days", "of 2")
    let entry = try #require(try host.store.first(in: TestHost.mailbox)).entry
    _ = host.ask(.acknowledge(entry), from: sender)
    _ = host.server.flush()
    expectRoom(host.offer(Letter(3), from: peer))
  }

  @Test(arguments: [1, -1])
  func `a step of the wall clock makes no message older`(direction: Int64) throws {
    let host = try host(days: 2, ofMailbox: true)
    store(Letter(1), from: peer, at: host)
    host.set(aheadByMilliseconds: direction * 365 * Int64(Self.day))
    expectRoom(host.offer(Letter(2), from: peer))
    #expect(try !host.server.maintain())
    #expect(try host.store.messages(in: TestHost.mailbox, countMax: 9).count == 1)
    host.advance(milliseconds: 3 * Self.day)
    expectOver(host.offer(Letter(3), from: peer), "3 days", "of 2")
  }

  @Test(arguments: [100, 1_000_000])
  func `message that nobody could accept any more is swept`(payloadByteCount: Int) throws {
    let host = try TestHost(folder)
    let old = Letter(1, payloadByteCount: payloadByteCount)
    store(old, from: peer, at: host)
    host.advance(milliseconds: Limits.storedMillisecondsMax)
    store(Letter(2), from: peer, at: host)
    #expect(try !host.server.maintain())
    #expect(try host.store.messages(in: TestHost.mailbox, countMax: 9).count == 2)
    host.advance(milliseconds: 1)
    var swept: [SweptMessages] = []
    host.server.onSweep = { swept.append($0) }
    #expect(try !host.server.maintain())
    #expect(swept.map(\.messageCount) == [1])
    #expect(swept.map(\.mailboxes) == [[TestHost.mailbox]])
    #expect(try host.store.messages(in: TestHost.mailbox, countMax: 9).map(\.id) == [Letter(2).id])
    #expect(try host.store.state.spool.names() == [])
    let usage = try host.store.usage(of: TestHost.mailbox, as: .mailbox)
    #expect(usage.messageCount == 1)
    #expect(usage.byteCount == Letter(2).size.byteCount)
  }
}
