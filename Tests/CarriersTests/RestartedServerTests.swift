import CarrierProtocol
import Mailboxes
import MessageFormat
import TestSupport
import Testing

/// Deposits under way when a carrier's program ends, request by request.
@Suite struct RestartedServerTests {
  private static let letter = Letter(1, payloadByteCount: 20 << 20)

  private let letter = RestartedServerTests.letter
  private let folder: TemporaryFolder
  private let peer = MailboxServer.Peer.connection(1, of: TestHost.alice)
  private let next = MailboxServer.Peer.connection(2, of: TestHost.alice)

  init() throws { folder = try TemporaryFolder() }

  /// A carrier that ends with 100 chunks of the letter.
  private func endInTheMiddle() throws {
    let host = try TestHost(folder)
    #expect(host.offer(letter, from: peer) == [proceed(0)])
    for index in 0..<100 { _ = host.chunk(letter, index, from: peer) }
    try host.server.keepDeposits()
  }

  private func proceed(_ index: UInt32) -> CarrierReply {
    .proceed(ChunkName(id: letter.id, index: index), credit: Limits.creditMax)
  }

  private func quotas(messages: UInt64) -> DepositQuotas {
    DepositQuotas(
      depositor: QuotaLimit(byteCount: .max, messageCount: messages, ageMilliseconds: .max),
      mailbox: .none)
  }

  private func expectNothingKept(at host: TestHost) throws {
    #expect(try host.store.state.spool.names() == [])
    #expect(try host.store.unfinished().isEmpty)
  }

  private func isRefused(_ replies: [CarrierReply], _ reason: CarrierRefusal) -> Bool {
    if case .refused(_, reason, _, _) = replies.first { replies.count == 1 } else { false }
  }

  /// Whether it is looked for or not: another run of the program may have had it until just now.
  @Test(arguments: [true, false])
  func `deposit goes on at the carriers next run`(isTakenUp: Bool) throws {
    try endInTheMiddle()
    let host = try TestHost(folder)
    if isTakenUp { _ = try host.server.maintain() }
    // Chunks of a deposit that was not offered again are nobody's.
    #expect(host.chunk(letter, 100, from: next).isEmpty)
    #expect(host.offer(letter, from: next) == [proceed(100)])
    for index in 100..<letter.chunks.count { _ = host.chunk(letter, index, from: next) }
    #expect(host.server.flush().map(\.reply) == [.stored(letter.id)])
    #expect(try host.store.first(in: TestHost.mailbox)?.chunks() == letter.chunks)
    #expect(try host.store.state.spool.names() == ["\(letter.id.hex).sealed"])
    #expect(try host.store.unfinished().isEmpty)
  }

  @Test func `what is kept counts against the quota`() throws {
    try endInTheMiddle()
    let host = try TestHost(folder, quotas: quotas(messages: 1))
    _ = try host.server.maintain()
    #expect(isRefused(host.offer(Letter(2), from: next), .overQuota))
    #expect(host.offer(letter, from: next) == [proceed(100)])
    for index in 100..<letter.chunks.count { _ = host.chunk(letter, index, from: next) }
    #expect(host.server.flush().map(\.reply) == [.stored(letter.id)])
    #expect(isRefused(host.offer(Letter(2), from: next), .overQuota))
  }

  @Test func `deposit that does not go on is given up`() throws {
    try endInTheMiddle()
    let host = try TestHost(folder, quotas: quotas(messages: 1))
    _ = try host.server.maintain()
    host.advance(milliseconds: Limits.depositIdleMillisecondsMax)
    _ = try host.server.maintain()
    #expect(try host.store.state.spool.names().count == 1)
    host.advance(milliseconds: 1)
    _ = try host.server.maintain()
    try expectNothingKept(at: host)
    #expect(
      host.offer(Letter(2), from: next).first
        == .proceed(
          ChunkName(id: Letter(2).id, index: 0), credit: Limits.creditMax))
  }

  private func access(_ depositors: Set<Mailbox>) -> CarrierAccess {
    CarrierAccess(depositors: [TestHost.mailbox: depositors], byteCountMax: 64 << 20)
  }

  @Test func `depositor who may no longer leaves nothing`() throws {
    try endInTheMiddle()
    let host = try TestHost(folder)
    host.server.replace(access([TestHost.bob]), quotas: .none) { $0 != TestHost.alice }
    _ = try host.server.maintain()
    try expectNothingKept(at: host)
  }

  @Test func `depositor who is removed meanwhile leaves nothing`() throws {
    try endInTheMiddle()
    let host = try TestHost(folder)
    _ = try host.server.maintain()
    #expect(try host.store.state.spool.names().count == 1)
    host.server.replace(access([TestHost.bob]), quotas: .none) { $0 != TestHost.alice }
    _ = try host.server.maintain()
    try expectNothingKept(at: host)
  }

  @Test(arguments: [true, false])
  func `another offer begins anew`(isTakenUp: Bool) throws {
    try endInTheMiddle()
    let host = try TestHost(folder)
    if isTakenUp { _ = try host.server.maintain() }
    let other = DepositOffer(
      id: letter.id, mailboxes: [TestHost.mailbox], size: letter.size, slot: Slot(repeating: 1))
    #expect(host.ask(.deposit(other), from: next) == [proceed(0)])
    try expectNothingKept(at: host)
    for index in letter.chunks.indices { _ = host.chunk(letter, index, from: next) }
    #expect(host.server.flush().map(\.reply) == [.stored(letter.id)])
    #expect(try host.store.first(in: TestHost.mailbox)?.chunks() == letter.chunks)
  }

  @Test func `deposit that is spoilt gives its space back`() throws {
    try endInTheMiddle()
    let host = try TestHost(folder)
    #expect(host.offer(letter, from: next) == [proceed(100)])
    #expect(isRefused(host.chunk(letter, 105, from: next), .outOfOrder))
    _ = try host.server.maintain()
    try expectNothingKept(at: host)
    #expect(host.offer(letter, from: next) == [proceed(0)])
  }

  /// A daemon that is replaced by one on the same state, and not ended yet.
  @Test func `whoever still has it keeps it`() throws {
    let old = try TestHost(folder)
    _ = old.offer(letter, from: peer)
    for index in 0..<100 { _ = old.chunk(letter, index, from: peer) }
    try old.server.keepDeposits()
    let host = try TestHost(folder)
    _ = try host.server.maintain()
    #expect(host.offer(letter, from: next) == [proceed(0)])
    for index in 100..<letter.chunks.count { _ = old.chunk(letter, index, from: peer) }
    #expect(old.server.flush().map(\.reply) == [.stored(letter.id)])
    #expect(try host.store.first(in: TestHost.mailbox)?.chunks() == letter.chunks)
  }
}
