import Carriers
import Mailboxes
import MessageFormat
import TestSupport
import Testing
import ZeroMQ

/// Client and listener on real sockets.
@Suite struct ListenerTests {
  private static let large = 20 << 20

  private let server: Server

  init() throws { server = try Server() }

  @Test(arguments: [10, 600_000, ListenerTests.large])
  func depositIsStoredAndItsContentIsTheSame(payloadByteCount: Int) throws {
    let letter = Letter(1, payloadByteCount: payloadByteCount)
    var last: (UInt64, UInt64) = (0, 0)
    let client = try server.client(server.alice)
    let result = try server.deposit(letter, from: server.alice, with: client) { last = ($0, $1) }
    #expect(result == .stored)
    #expect(last == (UInt64(letter.chunks.count), UInt64(letter.chunks.count)))
    #expect(server.deposits.value >= 1)
    try server.requireStored(letter)
    #expect(try server.store.first(in: server.machine.mailbox)?.depositor == server.alice.mailbox)
    // Again: it is there already.
    #expect(try server.deposit(letter, from: server.alice, with: client) == .stored)
    #expect(try server.store.messages(in: server.machine.mailbox, countMax: 5).count == 1)
  }

  @Test(arguments: [10, ListenerTests.large])
  func mailIsCollectedAcknowledgedAndGone(payloadByteCount: Int) throws {
    let letters = [Letter(1, payloadByteCount: payloadByteCount), Letter(2)]
    for letter in letters { try server.putMail(letter, for: server.alice) }
    let client = try server.client(server.alice)
    for letter in letters {
      let collected = try #require(
        try client.collect(byteCountMax: 1 << 30, by: .after(patience)))
      #expect(collected.entry.id == letter.id)
      #expect(collected.chunks == letter.chunks)
      try client.acknowledge(collected.entry, by: .after(patience))
    }
    #expect(try server.store.first(in: server.alice.mailbox) == nil)
    #expect(try server.store.state.spool.names() == [])
  }

  @Test func nothingToCollectIsNoError() throws {
    let client = try server.client(server.alice)
    // One exchange, so that there is a connection.
    _ = try server.deposit(Letter(1), from: server.alice, with: client)
    #expect(try client.collect(byteCountMax: 2_000, by: .after(.milliseconds(50))) == nil)
  }

  @Test func mailThatComesWhileOneWaitsIsDelivered() throws {
    let server = server
    try server.putMail(Letter(1), for: server.alice)
    let client = try server.client(server.alice)
    let first = try #require(try client.collect(byteCountMax: 2_000, by: .after(patience)))
    let (letter, bob) = (Letter(2), try server.client(server.bob))
    // The deposit ends after the request to wait has come in: one listener, one thread.
    #expect(
      try client.collect(
        after: first.entry.position, byteCountMax: 2_000, by: .after(.milliseconds(20))) == nil)
    try server.putMail(letter, for: server.alice)
    let next = try client.collect(
      after: first.entry.position, byteCountMax: 2_000, by: .after(patience))
    #expect(next?.entry.id == letter.id)
    #expect(try server.deposit(Letter(3), from: server.bob, with: bob) == .stored)
  }

  @Test func mailOverTheReadersLimitIsNotTakenIn() throws {
    try server.putMail(Letter(1, payloadByteCount: 3_000), for: server.alice)
    let client = try server.client(server.alice)
    let error = #expect(throws: CarrierError.self) {
      try client.collect(byteCountMax: 2_000, by: .after(patience))
    }
    guard case .unexpectedAnswer = error else {
      Issue.record("got \(String(describing: error))")
      return
    }
  }

  @Test func depositThatMayNotBeIsRefusedByName() throws {
    let message = try server.outgoing(Letter(1), from: server.alice)
    let result = try server.client(server.alice).deposit(
      message, in: [server.bob.mailbox], by: .after(patience), progress: { _, _ in })
    guard case .refused(.unknownMailbox, _) = result else {
      Issue.record("\(result)")
      return
    }
  }

  @Test func twoClientsInTurnAreBothServed() throws {
    let letters = (0..<40).map { Letter($0, payloadByteCount: 1_000) }
    let clients = [try server.client(server.alice), try server.client(server.bob)]
    for (letter, number) in zip(letters, 0...) {
      let machine = number % 2 == 0 ? server.alice : server.bob
      try server.deposit(letter, from: machine, with: clients[number % 2])
    }
    #expect(
      try server.store.messages(in: server.machine.mailbox, countMax: 100).map(\.id)
        == letters.map(\.id))
  }

  // MARK: - Interruptions

  @Test func depositOutlivesARestartOfTheServer() throws {
    let letter = Letter(1, payloadByteCount: Self.large)
    var restartFailure: (any Error)?
    var isRestarted = false
    let result = try server.deposit(
      letter, from: server.alice, with: server.client(server.alice)
    ) { done, total in
      guard done == total / 2, !isRestarted else { return }
      isRestarted = true
      server.stop()
      do { try server.start() } catch { restartFailure = error }
    }
    #expect(restartFailure == nil)
    #expect(isRestarted)
    #expect(result == .stored)
    try server.requireStored(letter)
    #expect(try server.store.state.spool.names().count == 1)
  }

  @Test func depositGoesOnWhereTheLineWasCut() throws {
    let letter = Letter(1, payloadByteCount: Self.large)
    let proxy = try CuttingProxy(to: server.endpoint, cutting: .toServer, after: Self.large / 2)
    let client = try server.client(server.alice, at: proxy.endpoint)
    var sent: [UInt64] = []
    let result = try server.deposit(letter, from: server.alice, with: client) { done, _ in
      sent.append(done)
    }
    #expect(proxy.cutCount == 1)
    #expect(result == .stored)
    try server.requireStored(letter)
    // Nothing but what was under way was sent twice.
    #expect(sent.count > letter.chunks.count)
    #expect(sent.count < letter.chunks.count * 3 / 2)
  }

  @Test func collectingGoesOnAfterTheLineWasCut() throws {
    let letter = Letter(1, payloadByteCount: Self.large)
    try server.putMail(letter, for: server.alice)
    let proxy = try CuttingProxy(to: server.endpoint, cutting: .toClient, after: Self.large / 2)
    let client = try server.client(server.alice, at: proxy.endpoint)
    let collected = try client.collect(byteCountMax: 1 << 30, by: .after(patience))
    #expect(proxy.cutCount == 1)
    #expect(collected?.chunks == letter.chunks)
  }

  // MARK: - No connection

  private func expectUnreached(
    _ reason: CarrierError.UnreachedReason, within duration: Duration,
    _ makeClient: () throws -> CarrierClient
  ) throws {
    let message = try server.outgoing(Letter(1), from: server.alice)
    let client = try makeClient()
    let error = #expect(throws: CarrierError.self) {
      try client.deposit(
        message, in: [server.machine.mailbox], by: .after(duration), progress: { _, _ in })
    }
    guard case .notReached(_, reason) = error else {
      Issue.record("got \(String(describing: error))")
      return
    }
  }

  @Test func nobodyListens() throws {
    server.stop()
    try expectUnreached(.nobodyListens, within: .milliseconds(500)) {
      try server.client(server.alice)
    }
  }

  @Test func serverWithAnotherKeyIsNotSpokenTo() throws {
    try expectUnreached(.wrongServer, within: .seconds(1)) {
      try server.client(server.alice, expecting: server.bob.key)
    }
    #expect(server.deposits.value == 0)
  }

  /// At once, not at the deadline: the list will say the same until it changes.
  @Test func whoeverIsNotOnTheListIsToldSo() throws {
    let stranger = try Machine("stranger")
    let clock = ContinuousClock()
    let elapsed = try clock.measure {
      try expectUnreached(.refused, within: patience) { try server.client(stranger) }
    }
    #expect(elapsed < patience / 2)
    #expect(server.deposits.value == 0)
  }

  @Test func clientWaitsForAServerThatStartsLater() throws {
    server.stop()
    let client = try server.client(server.alice)
    let message = try server.outgoing(Letter(1), from: server.alice)
    #expect(throws: CarrierError.self) {
      try client.deposit(
        message, in: [server.machine.mailbox], by: .after(.milliseconds(200)),
        progress: { _, _ in })
    }
    try server.start()
    #expect(try server.deposit(Letter(1), from: server.alice, with: client) == .stored)
  }
}
