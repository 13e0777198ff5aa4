import Carriers
import Mailboxes
import MessageFormat
import TestSupport
import Testing

/// Deposits under way when a carrier's program ends, request by request.
@Suite struct RestartedDeskTests {
  private static let letter = Letter(1, payloadByteCount: 20 << 20)

  private let letter = RestartedDeskTests.letter
  private let folder: TemporaryFolder
  private let peer = MailboxServer.Peer.connection(1, of: Desk.alice)
  private let next = MailboxServer.Peer.connection(2, of: Desk.alice)

  init() throws { folder = try TemporaryFolder() }

  /// A carrier that ends with 100 chunks of the letter.
  private func endInTheMiddle() throws {
    let desk = try Desk(folder)
    #expect(desk.offer(letter, from: peer) == [proceed(0)])
    for index in 0..<100 { _ = desk.chunk(letter, index, from: peer) }
    try desk.desk.keepDeposits()
  }

  private func proceed(_ index: UInt32) -> CarrierReply {
    .proceed(ChunkName(id: letter.id, index: index), credit: Limits.creditMax)
  }

  private func quotas(messages: UInt64) -> DepositQuotas {
    DepositQuotas(
      depositor: QuotaLimit(byteCount: .max, messageCount: messages, ageMilliseconds: .max),
      mailbox: .none)
  }

  private func expectNothingKept(at desk: Desk) throws {
    #expect(try desk.store.state.spool.names() == [])
    #expect(try desk.store.unfinished().isEmpty)
  }

  private func isRefused(_ replies: [CarrierReply], _ reason: CarrierRefusal) -> Bool {
    if case .refused(_, reason, _) = replies.first { replies.count == 1 } else { false }
  }

  /// Whether it is looked for or not: another run of the program may have had it until just now.
  @Test(arguments: [true, false])
  func depositGoesOnAtTheCarriersNextRun(isTakenUp: Bool) throws {
    try endInTheMiddle()
    let desk = try Desk(folder)
    if isTakenUp { _ = try desk.desk.maintain() }
    // Chunks of a deposit that was not offered again are nobody's.
    #expect(desk.chunk(letter, 100, from: next).isEmpty)
    #expect(desk.offer(letter, from: next) == [proceed(100)])
    for index in 100..<letter.chunks.count { _ = desk.chunk(letter, index, from: next) }
    #expect(desk.desk.flush().map(\.reply) == [.stored(letter.id)])
    #expect(try desk.store.first(in: Desk.server)?.chunks() == letter.chunks)
    #expect(try desk.store.state.spool.names() == ["\(letter.id.hex).sealed"])
    #expect(try desk.store.unfinished().isEmpty)
  }

  @Test func whatIsKeptCountsAgainstTheQuota() throws {
    try endInTheMiddle()
    let desk = try Desk(folder, quotas: quotas(messages: 1))
    _ = try desk.desk.maintain()
    #expect(isRefused(desk.offer(Letter(2), from: next), .overQuota))
    #expect(desk.offer(letter, from: next) == [proceed(100)])
    for index in 100..<letter.chunks.count { _ = desk.chunk(letter, index, from: next) }
    #expect(desk.desk.flush().map(\.reply) == [.stored(letter.id)])
    #expect(isRefused(desk.offer(Letter(2), from: next), .overQuota))
  }

  @Test func depositThatDoesNotGoOnIsGivenUp() throws {
    try endInTheMiddle()
    let desk = try Desk(folder, quotas: quotas(messages: 1))
    _ = try desk.desk.maintain()
    desk.advance(milliseconds: Limits.depositIdleMillisecondsMax)
    _ = try desk.desk.maintain()
    #expect(try desk.store.state.spool.names().count == 1)
    desk.advance(milliseconds: 1)
    _ = try desk.desk.maintain()
    try expectNothingKept(at: desk)
    #expect(
      desk.offer(Letter(2), from: next).first
        == .proceed(
          ChunkName(id: Letter(2).id, index: 0), credit: Limits.creditMax))
  }

  private func access(_ depositors: Set<Mailbox>) -> CarrierAccess {
    CarrierAccess(depositors: [Desk.server: depositors], byteCountMax: 64 << 20)
  }

  @Test func depositorWhoMayNoLongerLeavesNothing() throws {
    try endInTheMiddle()
    let desk = try Desk(folder)
    desk.desk.replace(access([Desk.bob]), quotas: .none) { $0 != Desk.alice }
    _ = try desk.desk.maintain()
    try expectNothingKept(at: desk)
  }

  @Test func depositorWhoIsRemovedMeanwhileLeavesNothing() throws {
    try endInTheMiddle()
    let desk = try Desk(folder)
    _ = try desk.desk.maintain()
    #expect(try desk.store.state.spool.names().count == 1)
    desk.desk.replace(access([Desk.bob]), quotas: .none) { $0 != Desk.alice }
    _ = try desk.desk.maintain()
    try expectNothingKept(at: desk)
  }

  @Test(arguments: [true, false])
  func anotherOfferBeginsAnew(isTakenUp: Bool) throws {
    try endInTheMiddle()
    let desk = try Desk(folder)
    if isTakenUp { _ = try desk.desk.maintain() }
    let other = DepositOffer(
      id: letter.id, mailboxes: [Desk.server], size: letter.size, slot: Slot(repeating: 1))
    #expect(desk.ask(.deposit(other), from: next) == [proceed(0)])
    try expectNothingKept(at: desk)
    for index in letter.chunks.indices { _ = desk.chunk(letter, index, from: next) }
    #expect(desk.desk.flush().map(\.reply) == [.stored(letter.id)])
    #expect(try desk.store.first(in: Desk.server)?.chunks() == letter.chunks)
  }

  @Test func depositThatIsSpoiltGivesItsSpaceBack() throws {
    try endInTheMiddle()
    let desk = try Desk(folder)
    #expect(desk.offer(letter, from: next) == [proceed(100)])
    #expect(isRefused(desk.chunk(letter, 105, from: next), .outOfOrder))
    _ = try desk.desk.maintain()
    try expectNothingKept(at: desk)
    #expect(desk.offer(letter, from: next) == [proceed(0)])
  }

  /// A daemon that is replaced by one on the same state, and not ended yet.
  @Test func whoeverStillHasItKeepsIt() throws {
    let old = try Desk(folder)
    _ = old.offer(letter, from: peer)
    for index in 0..<100 { _ = old.chunk(letter, index, from: peer) }
    try old.desk.keepDeposits()
    let desk = try Desk(folder)
    _ = try desk.desk.maintain()
    #expect(desk.offer(letter, from: next) == [proceed(0)])
    for index in 100..<letter.chunks.count { _ = old.chunk(letter, index, from: peer) }
    #expect(old.desk.flush().map(\.reply) == [.stored(letter.id)])
    #expect(try desk.store.first(in: Desk.server)?.chunks() == letter.chunks)
  }
}
