import CarrierProtocol
import Mailboxes
import MessageFormat
import TestSupport
import Testing

/// What was announced takes no room in a mailbox; what has come does.
@Suite struct AnnouncementTests {
  private static let size = Letter(1).size.byteCount

  private let folder: TemporaryFolder
  private let alice = MailboxServer.Peer.connection(1, of: TestHost.alice)
  private let bob = MailboxServer.Peer.connection(1, of: TestHost.bob)

  init() throws { folder = try TemporaryFolder() }

  private func host(bytes: UInt64 = .max, messages: UInt64 = .max) throws -> TestHost {
    let limit = QuotaLimit(byteCount: bytes, messageCount: messages, ageMilliseconds: .max)
    return try TestHost(folder, quotas: DepositQuotas(depositor: .none, mailbox: limit))
  }

  private func expectOver(
    _ replies: [CarrierReply], _ words: String, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    guard replies.count == 1, case .refused(_, .overQuota, _, let detail) = replies[0] else {
      Issue.record("\(replies)", sourceLocation: sourceLocation)
      return
    }
    #expect(detail.contains(words), sourceLocation: sourceLocation)
  }

  private func proceed(_ letter: Letter, _ index: UInt32) -> CarrierReply {
    .proceed(ChunkName(id: letter.id, index: index), credit: Limits.creditMax)
  }

  private func chunks(
    _ letter: Letter, _ range: Range<Int>, at host: TestHost, from peer: MailboxServer.Peer
  ) -> [CarrierReply] {
    range.flatMap { host.chunk(letter, $0, from: peer) }
  }

  /// All are let in, and the one that would really be too much is not stored.
  @Test(arguments: [(2 * AnnouncementTests.size, UInt64.max), (.max, 2)])
  func `announcements keep nobody out`(bytes: UInt64, messages: UInt64) throws {
    let host = try host(bytes: bytes, messages: messages)
    let letters = (1...3).map { Letter(UInt32($0)) }
    for letter in letters { #expect(host.offer(letter, from: bob) == [proceed(letter, 0)]) }
    for letter in letters.dropLast() {
      #expect(chunks(letter, letter.chunks.indices, at: host, from: bob).isEmpty)
    }
    let words = messages == 2 ? "3 messages" : "\(3 * Self.size) bytes"
    expectOver(chunks(letters[2], letters[2].chunks.indices, at: host, from: bob), words)
    #expect(host.server.flush().map(\.reply) == letters.dropLast().map { .stored($0.id) })
    expectOver(host.offer(letters[2], from: bob), words)
  }

  /// What has come counts before it is whole; what was refused gives its room back.
  @Test func `mailbox that fills up takes the first`() throws {
    let host = try host(bytes: 30 << 20)
    let letters = (1...2).map { Letter(UInt32($0), payloadByteCount: 20 << 20) }
    #expect(host.offer(letters[0], from: alice) == [proceed(letters[0], 0)])
    #expect(host.offer(letters[1], from: bob) == [proceed(letters[1], 0)])
    _ = chunks(letters[0], 0..<112, at: host, from: alice)
    let replies = chunks(letters[1], letters[1].chunks.indices, at: host, from: bob)
    expectOver(Array(replies.suffix(1)), "bytes would be over its quota of \(30 << 20)")
    _ = chunks(letters[0], 112..<letters[0].chunks.count, at: host, from: alice)
    #expect(host.server.flush().map(\.reply) == [.stored(letters[0].id)])
    _ = try host.server.maintain()
    #expect(try host.store.state.spool.names().count == 1)
  }

  /// Repeated or not.
  @Test func `offer alone is given up`() throws {
    let host = try host()
    let letter = Letter(1)
    #expect(host.offer(letter, from: alice) == [proceed(letter, 0)])
    host.advance(milliseconds: Limits.depositSilentMillisecondsMax)
    #expect(host.offer(letter, from: alice) == [proceed(letter, 0)])
    host.advance(milliseconds: 1)
    _ = try host.server.maintain()
    // Nobody's.
    #expect(host.chunk(letter, 0, from: alice).isEmpty)
    #expect(host.offer(letter, from: alice) == [proceed(letter, 0)])
    // One of which something has come has more time.
    #expect(host.chunk(letter, 0, from: alice).isEmpty)
    host.advance(milliseconds: 2 * Limits.depositSilentMillisecondsMax)
    _ = try host.server.maintain()
    #expect(host.offer(letter, from: alice) == [proceed(letter, 1)])
  }

  /// It is on the disk, and so `distro status` tells of it.
  @Test func `what has come is known to the store`() throws {
    let host = try host()
    let letter = Letter(1, payloadByteCount: 20 << 20)
    _ = host.offer(letter, from: alice)
    #expect(try host.store.unfinishedByteCounts().isEmpty)
    _ = chunks(letter, 0..<100, at: host, from: alice)
    try host.server.keepDeposits()
    let byteCount = letter.chunks[..<100].reduce(0) { $0 + UInt64($1.count) }
    #expect(try host.store.unfinishedByteCounts() == [TestHost.mailbox: byteCount])
  }
}
