import CarrierProtocol
import Mailboxes
import MessageFormat
import TestSupport
import Testing
import ZeroMQ

/// An exchange and a listener on real sockets.
@Suite struct ExchangeTests {
  private static let large = 20 << 20

  private let server: Server

  init() throws { server = try Server() }

  @Test(arguments: [10, 600_000, ExchangeTests.large])
  func `deposit is stored and its content is the same`(payloadByteCount: Int) throws {
    let letter = Letter(1, payloadByteCount: payloadByteCount)
    let alice = try server.connect(server.alice)
    try alice.put(letter, for: [server.machine.mailbox])
    try alice.wait { $0.stored == [letter.id] }
    try server.requireStored(letter)
    #expect(try server.store.first(in: server.machine.mailbox)?.depositor == server.alice.mailbox)
    #expect(try alice.store.first(in: server.machine.mailbox) == nil)
    #expect(try alice.store.state.spool.names() == [])
  }

  @Test(arguments: [10, ExchangeTests.large])
  func `mail is collected acknowledged and gone`(payloadByteCount: Int) throws {
    let letters = [Letter(1, payloadByteCount: payloadByteCount), Letter(2), Letter(3)]
    for letter in letters { try server.putMail(letter, for: server.alice) }
    let alice = try server.connect(server.alice)
    try alice.wait { $0.accepted == letters.map(\.id) }
    for letter in letters { try alice.requireMail(letter) }
    try server.requireEmpty(server.alice)
  }

  @Test func `both directions move at once`() throws {
    let (down, up) = (
      Letter(1, payloadByteCount: Self.large), Letter(2, payloadByteCount: Self.large)
    )
    try server.putMail(down, for: server.alice)
    let alice = try Correspondent(server.alice, in: server.folder)
    try alice.put(up, for: [server.machine.mailbox])
    try server.connect(alice)
    try alice.wait { $0.accepted == [down.id] && $0.stored == [up.id] }
    try alice.requireMail(down)
    try server.requireStored(up)
  }

  @Test func `mail that comes while one waits is delivered at once`() throws {
    let alice = try Correspondent(server.alice, in: server.folder)
    var timeouts = ExchangeTimeouts()
    timeouts.mail = .seconds(60)
    try server.connect(alice, timeouts: timeouts)
    try server.putMail(Letter(1), for: server.alice)
    try alice.wait { $0.accepted.count == 1 }
    try server.putMail(Letter(2), for: server.alice)
    // Before the question that waits has ended, and the next one would bring it.
    try alice.wait(within: timeouts.mail * 3 / 4) { $0.accepted.count == 2 }
  }

  @Test func `many are deposited and collected in their order`() throws {
    let letters = (0..<200).map { Letter($0, payloadByteCount: $0 % 7 == 0 ? 300_000 : 100) }
    let alice = try Correspondent(server.alice, in: server.folder)
    for letter in letters { try alice.put(letter, for: [server.machine.mailbox]) }
    let mail = (1_000..<1_200).map { Letter($0, payloadByteCount: $0 % 9 == 0 ? 300_000 : 100) }
    for letter in mail { try server.putMail(letter, for: server.bob) }
    try server.connect(alice)
    let bob = try server.connect(server.bob)
    try alice.wait { $0.stored == letters.map(\.id) }
    #expect(
      try server.store.messages(in: server.machine.mailbox, countMax: 300).map(\.id)
        == letters.map(\.id))
    try bob.wait { $0.accepted == mail.map(\.id) }
  }

  @Test func `mail over the reader's limit is passed over unread`() throws {
    try server.putMail(Letter(1, payloadByteCount: 200_000), for: server.alice)
    try server.putMail(Letter(2), for: server.alice)
    let alice = try server.connect(server.alice, byteCountMax: 2_000)
    try alice.wait { $0.accepted == [Letter(2).id] }
    try server.requireEmpty(server.alice)
  }

  @Test func `what cannot be accepted is collected again`() throws {
    try server.putMail(Letter(1, payloadByteCount: 1_000_000), for: server.alice)
    let alice = try Correspondent(server.alice, in: server.folder)
    alice.failToAccept(times: 2)
    try server.connect(alice)
    try alice.wait { $0.accepted == [Letter(1).id] }
    try alice.requireMail(Letter(1, payloadByteCount: 1_000_000))
    try server.requireEmpty(server.alice)
  }

  @Test func `what one mailbox does not take the others get`() throws {
    let alice = try server.connect(server.alice)
    try alice.put(Letter(1), for: [server.bob.mailbox, server.machine.mailbox])
    let news = try alice.wait { $0.stored == [Letter(1).id] && $0.refusals.count >= 1 }
    #expect(news.refusals[0].mailbox == server.bob.mailbox)
    #expect(news.refusals[0].reason == .unknownMailbox)
    try server.requireStored(Letter(1))
    #expect(try alice.store.first(in: server.bob.mailbox)?.id == Letter(1).id)
    // The next one goes on, too.
    try alice.put(Letter(2), for: [server.machine.mailbox])
    try alice.wait { $0.stored.count == 2 }
  }

  /// What a sender's disk has spoilt, and what it sends again from a copy, have one name.
  @Test func `message that comes again with other bytes is delivered with them`() throws {
    let alice = try server.connect(server.alice)
    for filler in [UInt8(0), 100] {
      let letter = Letter(1, payloadByteCount: 300_000, filler: filler)
      try server.putMail(letter, for: server.alice)
      try alice.wait { $0.accepted.count == (filler == 0 ? 1 : 2) }
      try alice.requireMail(letter)
      try server.requireEmpty(server.alice)
      let stored = try #require(try alice.store.first(in: server.alice.mailbox))
      try alice.store.remove(stored)
    }
  }

  // MARK: - Interruptions

  @Test func `deposit outlives a restart of the server`() throws {
    let letter = Letter(1, payloadByteCount: Self.large)
    let alice = try server.connect(server.alice)
    try alice.put(letter, for: [server.machine.mailbox])
    try alice.wait { !$0.moves.isEmpty }
    server.stop()
    try server.start()
    try alice.wait { $0.stored == [letter.id] }
    try server.requireStored(letter)
    #expect(try server.store.state.spool.names().count == 1)
  }

  @Test func `deposit goes on where the line was cut`() throws {
    let letter = Letter(1, payloadByteCount: Self.large)
    let proxy = try CuttingProxy(to: server.endpoint, cutting: .toServer, after: Self.large / 2)
    let alice = try server.connect(server.alice, at: proxy.endpoint)
    try alice.put(letter, for: [server.machine.mailbox])
    let news = try alice.wait { $0.stored == [letter.id] }
    #expect(proxy.cutCount == 1 && news.connectionCount == 2)
    try server.requireStored(letter)
    // It never went back to before where it was.
    #expect(news.moves == news.moves.sorted())
    #expect(
      proxy.forwardedByteCount < Self.large + 2 * Int(Limits.creditMax) * Limits.chunkByteCountMax)
  }

  @Test func `collecting goes on where the line was cut`() throws {
    let letter = Letter(1, payloadByteCount: Self.large)
    try server.putMail(letter, for: server.alice)
    let proxy = try CuttingProxy(to: server.endpoint, cutting: .toClient, after: Self.large / 2)
    let alice = try server.connect(server.alice, at: proxy.endpoint)
    try alice.wait { $0.accepted == [letter.id] }
    #expect(proxy.cutCount == 1)
    try alice.requireMail(letter)
    #expect(
      proxy.forwardedByteCount < Self.large + 2 * Int(Limits.creditMax) * Limits.chunkByteCountMax)
  }

  @Test func `what was accepted before the line broke is not accepted twice`() throws {
    let letters = (0..<60).map { Letter($0, payloadByteCount: 100_000) }
    for letter in letters { try server.putMail(letter, for: server.alice) }
    let alice = try Correspondent(server.alice, in: server.folder)
    let proxy = try CuttingProxy(to: server.endpoint, cutting: .toClient, after: 3_000_000)
    try server.connect(alice, at: proxy.endpoint)
    try alice.wait { $0.accepted.count >= letters.count }
    #expect(alice.current.accepted == letters.map(\.id))
    try server.requireEmpty(server.alice)
  }

  @Test func `server that starts later or comes back is found`() throws {
    server.stop()
    let alice = try server.connect(server.alice)
    try alice.put(Letter(1), for: [server.machine.mailbox])
    try alice.wait { !$0.failures.isEmpty }
    try server.start()
    try alice.wait { $0.stored.count == 1 }
    server.stop()
    try alice.put(Letter(2), for: [server.machine.mailbox])
    try server.start()
    try alice.wait { $0.stored.count == 2 }
  }

  // MARK: - No connection

  private func expectUnreached(
    _ reason: CarrierError.UnreachedReason, _ alice: Correspondent
  ) throws {
    try alice.put(Letter(1), for: [server.machine.mailbox])
    let news = try alice.wait { !$0.failures.isEmpty }
    guard case .notReached(_, reason) = news.failures[0] else {
      Issue.record("got \(news.failures)")
      return
    }
    #expect(news.stored == [] && server.deposits.value == 0)
  }

  @Test func `nobody listens`() throws {
    server.stop()
    try expectUnreached(.nobodyListens, try server.connect(server.alice))
  }

  @Test func `server with another key is not spoken to`() throws {
    try expectUnreached(
      .wrongServer, try server.connect(server.alice, expecting: server.bob))
  }

  @Test func `whoever is not on the list is told so`() throws {
    try expectUnreached(.refused, try server.connect(try Machine("stranger")))
  }
}
