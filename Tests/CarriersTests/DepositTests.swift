import CarrierProtocol
import Mailboxes
import MessageFormat
import TestSupport
import Testing

/// The carrier's side of a deposit, request by request.
@Suite struct DepositTests {
  private let folder: TemporaryFolder
  private let host: TestHost
  private let peer = MailboxServer.Peer.connection(1, of: TestHost.alice)
  private let credit = Limits.creditMax

  init() throws {
    folder = try TemporaryFolder()
    host = try TestHost(folder)
  }

  private func expectRefusal(
    _ reason: CarrierRefusal, of id: MessageID?, in replies: [CarrierReply],
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    guard replies.count == 1, case .refused(id, reason, _, _) = replies[0] else {
      Issue.record("\(replies)", sourceLocation: sourceLocation)
      return
    }
  }

  private func proceed(_ letter: Letter, _ index: UInt32) -> CarrierReply {
    .proceed(ChunkName(id: letter.id, index: index), credit: credit)
  }

  @Test func `small deposit is stored when flushed`() throws {
    let letter = Letter(1)
    #expect(host.upload(letter, from: peer) == [proceed(letter, 0)])
    #expect(host.server.hasFinished)
    #expect(try host.store.first(in: TestHost.mailbox) == nil)
    #expect(host.server.flush().map(\.reply) == [.stored(letter.id)])
    #expect(!host.server.hasFinished)
    let stored = try #require(try host.store.first(in: TestHost.mailbox))
    #expect(stored.depositor == TestHost.alice)
    #expect(try stored.chunks() == letter.chunks)
  }

  @Test func `credit comes early enough that the sender never runs dry`() {
    let letter = Letter(1, payloadByteCount: 70 * Limits.chunkByteCountMax)
    var (sent, allowed) = (0, Int(credit))
    #expect(host.offer(letter, from: peer) == [proceed(letter, 0)])
    while sent < letter.chunks.count {
      #expect(sent < allowed)
      for reply in host.chunk(letter, sent, from: peer) {
        guard case .proceed(let next, let credit) = reply else {
          Issue.record("\(reply)")
          return
        }
        #expect(Int(next.index) == sent + 1)
        allowed = Int(next.index + credit)
      }
      sent += 1
    }
    #expect(host.server.flush().map(\.reply) == [.stored(letter.id)])
  }

  @Test func `many deposits are one flush and each sender is told`() throws {
    let bob = MailboxServer.Peer.connection(1, of: TestHost.bob)
    let letters = (1...100).map { Letter($0) }
    for letter in letters { _ = host.upload(letter, from: letter.number % 2 == 0 ? peer : bob) }
    let told = host.server.flush()
    #expect(told.map(\.reply) == letters.map { .stored($0.id) })
    #expect(told.map(\.peer) == letters.map { $0.number % 2 == 0 ? peer : bob })
    #expect(
      try host.store.messages(in: TestHost.mailbox, countMax: 200).map(\.id) == letters.map(\.id))
    #expect(host.server.flush().isEmpty)
  }

  @Test func `what is stored already is said so at once`() {
    _ = host.upload(Letter(1), from: peer)
    _ = host.server.flush()
    #expect(host.offer(Letter(1), from: peer) == [.stored(Letter(1).id)])
    #expect(host.chunk(Letter(1), 0, from: peer).isEmpty)
  }

  @Test func `interrupted deposit goes on over the next connection`() throws {
    let letter = Letter(1, payloadByteCount: 20 * Limits.chunkByteCountMax)
    _ = host.offer(letter, from: peer)
    for index in 0..<10 { _ = host.chunk(letter, index, from: peer) }
    host.server.forget(peer)
    let next = MailboxServer.Peer.connection(2, of: TestHost.alice)
    #expect(host.offer(letter, from: next) == [proceed(letter, 10)])
    // What still comes over the old connection, or is sent again, changes nothing.
    #expect(host.chunk(letter, 10, from: peer).isEmpty)
    #expect(host.chunk(letter, 0, from: next).isEmpty)
    for index in 9..<letter.chunks.count { _ = host.chunk(letter, index, from: next) }
    let told = host.server.flush()
    #expect(told.map(\.reply) == [.stored(letter.id)])
    #expect(told.map(\.peer) == [next])
    #expect(try host.store.first(in: TestHost.mailbox)?.chunks() == letter.chunks)
  }

  /// Two identities, or two runs of one, may hand over the same message; nobody's half is taken for the whole.
  @Test func `same message from two identities is stored whole`() throws {
    let letter = Letter(1, payloadByteCount: 1_000_000)
    let bob = MailboxServer.Peer.connection(1, of: TestHost.bob)
    _ = host.offer(letter, from: peer)
    _ = host.chunk(letter, 0, from: peer)
    #expect(host.upload(letter, from: bob) == [proceed(letter, 0)])
    #expect(host.server.flush().map(\.peer) == [bob])
    #expect(try host.store.first(in: TestHost.mailbox)?.chunks() == letter.chunks)
    for index in 1..<letter.chunks.count { _ = host.chunk(letter, index, from: peer) }
    #expect(host.server.flush().map(\.reply) == [.stored(letter.id)])
    #expect(try host.store.messages(in: TestHost.mailbox, countMax: 5).count == 1)
    #expect(try host.store.first(in: TestHost.mailbox)?.chunks() == letter.chunks)
  }

  @Test func `chunk that was skipped ends the deposit`() throws {
    let letter = Letter(1, payloadByteCount: 1_000_000)
    _ = host.offer(letter, from: peer)
    _ = host.chunk(letter, 0, from: peer)
    expectRefusal(.outOfOrder, of: letter.id, in: host.chunk(letter, 2, from: peer))
    #expect(host.chunk(letter, 1, from: peer).isEmpty)
    #expect(host.offer(letter, from: peer) == [proceed(letter, 0)])
    #expect(try host.store.state.spool.names() == [])
  }

  @Test func `chunk of another size ends the deposit`() {
    let letter = Letter(1)
    _ = host.offer(letter, from: peer)
    _ = host.chunk(letter, 0, from: peer)
    let request = CarrierRequest.chunk(ChunkName(id: letter.id, index: 1)).encoded()
    let replies = host.server.handle([request, []], from: peer).map(\.reply)
    expectRefusal(.outOfOrder, of: letter.id, in: replies)
    #expect(!host.server.hasFinished)
  }

  @Test func `chunk of no deposit is ignored`() {
    #expect(host.chunk(Letter(1), 0, from: peer).isEmpty)
  }

  @Test func `mailbox that is not there is refused`() {
    let stranger = Mailbox(repeating: 7)
    for mailboxes in [[stranger], [TestHost.mailbox, stranger]] {
      expectRefusal(
        .unknownMailbox, of: Letter(1).id,
        in: host.offer(Letter(1), in: mailboxes, from: peer))
    }
    #expect(host.chunk(Letter(1), 0, from: peer).isEmpty)
  }

  @Test func `depositor who may not is refused`() {
    let other = MailboxServer.Peer.connection(1, of: Mailbox(repeating: 7))
    expectRefusal(.notAllowed, of: Letter(1).id, in: host.offer(Letter(1), from: other))
    expectRefusal(
      .notAllowed, of: Letter(1).id,
      in: host.offer(Letter(1), in: [TestHost.mailbox, TestHost.bob], from: peer))
  }

  @Test func `message over the limit is refused before its first chunk`() throws {
    let small = try TestHost(try TemporaryFolder(), byteCountMax: Letter(1).size.byteCount)
    #expect(small.offer(Letter(1), from: peer) == [proceed(Letter(1), 0)])
    let larger = Letter(2, payloadByteCount: 101)
    expectRefusal(.overLimit, of: larger.id, in: small.offer(larger, from: peer))
  }

  @Test func `one connection has so many unfinished deposits and no more`() {
    let letters = (1...Limits.openDepositCountMax + 1).map { Letter(UInt32($0)) }
    for letter in letters.dropLast() {
      #expect(host.offer(letter, from: peer) == [proceed(letter, 0)])
    }
    let last = letters[letters.count - 1]
    expectRefusal(.overLimit, of: last.id, in: host.offer(last, from: peer))
    // Others are not kept out by it, and one that ends makes room.
    let bob = MailboxServer.Peer.connection(1, of: TestHost.bob)
    #expect(host.offer(last, from: bob) == [proceed(last, 0)])
    for index in letters[0].chunks.indices { _ = host.chunk(letters[0], index, from: peer) }
    _ = host.server.flush()
    #expect(host.offer(last, from: peer) == [proceed(last, 0)])
  }

  /// An identity whose connections break again and again is not locked out by what they left behind.
  @Test func `deposits of broken connections make room`() {
    for number in 1...UInt8(200) {
      let connection = MailboxServer.Peer.connection(number, of: TestHost.alice)
      let letter = Letter(UInt32(number))
      #expect(host.offer(letter, from: connection) == [proceed(letter, 0)])
      host.server.forget(connection)
      host.advance(milliseconds: 1)
    }
    // The last ones can still go on.
    let next = MailboxServer.Peer.connection(250, of: TestHost.alice)
    _ = host.offer(Letter(200), from: next)
    _ = host.chunk(Letter(200), 0, from: next)
    #expect(host.offer(Letter(200), from: peer) == [proceed(Letter(200), 1)])
  }

  @Test func `deposit that rested too long starts over`() {
    let letter = Letter(1)
    _ = host.offer(letter, from: peer)
    _ = host.chunk(letter, 0, from: peer)
    host.advance(milliseconds: Limits.depositIdleMillisecondsMax)
    _ = host.offer(Letter(2), from: peer)
    #expect(host.offer(letter, from: peer) == [proceed(letter, 1)])
    host.advance(milliseconds: Limits.depositIdleMillisecondsMax + 1)
    _ = host.offer(Letter(2), from: peer)
    #expect(host.offer(letter, from: peer) == [proceed(letter, 0)])
  }

  @Test(arguments: [1, -1])
  func `a step of the wall clock ends no deposit and gives none more time`(direction: Int64) {
    let letter = Letter(1)
    _ = host.offer(letter, from: peer)
    _ = host.chunk(letter, 0, from: peer)
    host.set(aheadByMilliseconds: direction * 31_536_000_000)
    _ = host.offer(Letter(2), from: peer)
    #expect(host.offer(letter, from: peer) == [proceed(letter, 1)])
    host.advance(milliseconds: Limits.depositIdleMillisecondsMax + 1)
    #expect(host.offer(letter, from: peer) == [proceed(letter, 0)])
  }

  @Test func `frames that are no request are refused`() {
    let collect = CarrierRequest.collect(after: 0, credit: 1, waitMilliseconds: 0).encoded()
    let chunk = CarrierRequest.chunk(ChunkName(id: Letter(1).id, index: 0)).encoded()
    let tooLong = [UInt8](repeating: 8, count: Limits.carrierFrameByteCountMax + 1)
    let notRequests: [[[UInt8]]] = [
      [], [[]], [[0xff]], [Array("GET / HTTP/1.1\r\n\r\n".utf8)], [collect, []],
      [collect + [0]], [collect, [1]], [chunk, [1], [2]], [Array(collect.dropLast())],
    ]
    for frames in notRequests {
      let replies = host.server.handle(frames, from: peer).map(\.reply)
      expectRefusal(.malformed, of: nil, in: replies)
    }
    let tooMuchCredit = CarrierRequest.collect(
      after: 0, credit: Limits.creditMax + 1, waitMilliseconds: 0)
    for frame in [tooLong, tooMuchCredit.encoded()] {
      let replies = host.server.handle([frame], from: peer).map(\.reply)
      expectRefusal(.overLimit, of: nil, in: replies)
    }
    let withoutChunk = host.server.handle([chunk], from: peer).map(\.reply)
    expectRefusal(.malformed, of: Letter(1).id, in: withoutChunk)
  }

  @Test(.enabled(if: SmallDisk.isAllowed, "mounting needs the right to"))
  func `full disk is a fault and the same deposit works when there is room`() throws {
    let disk = folder.path + "/disk"
    try SmallDisk.mount(on: disk, byteCount: 2 << 20, home: folder.path) {
      let small = try TestHost(onDisk: disk)
      let large = Letter(1, payloadByteCount: 4 << 20)
      let replies = small.upload(large, from: peer)
      guard case .refused(large.id, .fault, _, let detail) = replies.last else {
        Issue.record("\(replies)")
        return
      }
      #expect(detail.contains("No space left"))
      _ = small.upload(Letter(2, payloadByteCount: 600_000), from: peer)
      #expect(small.server.flush().map(\.reply) == [.stored(Letter(2).id)])
    }
  }
}
