import CarrierProtocol
import Foundation
import Mailboxes
import MessageFormat
import TestSupport
import Testing

/// The client's side of the protocol, request by request, against the carrier's.
@Suite struct MailboxClientTests {
  /// 46 chunks of payload: more than the credit.
  private static let large = 46 * Limits.chunkByteCountMax

  private let folder: TemporaryFolder
  private let line: Line

  init() throws {
    folder = try TemporaryFolder()
    line = try Line(folder)
  }

  @Test func `both ways move over one line`() throws {
    let (up, down) = (
      Letter(1, payloadByteCount: Self.large), Letter(2, payloadByteCount: Self.large)
    )
    try line.putMail(down)
    let alice = try line.end()
    try alice.put(up)
    alice.client.connected(at: line.now)
    try line.run(alice)
    #expect(alice.stored == [up.id] && alice.accepted == [down.id])
    #expect(try line.carrier.store.first(in: TestHost.alice) == nil)
    #expect(try alice.store.first(in: TestHost.mailbox) == nil)
    #expect(alice.chunkRequestCount == up.chunks.count)
  }

  @Test func `nothing is said without a connection`() throws {
    let alice = try line.end()
    try alice.put(Letter(1))
    try line.say(alice)
    #expect(alice.requests.isEmpty)
  }

  @Test func `no more than the credit is under way`() throws {
    let alice = try line.end()
    try alice.put(Letter(1, payloadByteCount: Self.large))
    try alice.put(Letter(2))
    alice.client.connected(at: line.now)
    try line.say(alice)
    #expect(alice.chunkRequestCount == Int(Limits.creditMax))
    // The next message begins when all of the one before is sent.
    #expect(alice.depositRequestCount == 1)
  }

  @Test func `no more deposits are open than the carrier allows`() throws {
    let alice = try line.end()
    for number in 0..<40 { try alice.put(Letter(UInt32(number))) }
    alice.client.connected(at: line.now)
    try line.say(alice)
    #expect(alice.depositRequestCount == Limits.openDepositCountMax)
  }

  @Test func `deposit that another run has finished is let go`() throws {
    let letters = [Letter(1, payloadByteCount: 2 * Self.large), Letter(2), Letter(3)]
    let (daemon, hook) = (try line.end(1), try line.end(2))
    for letter in letters[..<2] { try daemon.put(letter) }
    daemon.client.connected(at: line.now)
    try line.run(daemon, countMax: 20)
    hook.client.connected(at: line.now)
    try line.run(hook)
    #expect(hook.stored == letters[..<2].map(\.id))
    // It was told nothing, and waits for an answer; only for a while.
    try daemon.put(letters[2])
    try line.run(daemon)
    #expect(daemon.stored == [])
    line.advance(.seconds(10))
    try line.run(daemon)
    #expect(daemon.stored == [letters[2].id] && daemon.depositRequestCount == 2)
  }

  @Test func `deposit that another run has taken over and left is offered again`() throws {
    let letter = Letter(1, payloadByteCount: Self.large)
    let daemon = try line.end(1)
    try daemon.put(letter)
    daemon.client.connected(at: line.now)
    try line.run(daemon, countMax: 20)
    _ = line.carrier.offer(letter, from: .connection(2, of: TestHost.alice))
    try line.run(daemon)
    line.advance(.seconds(10))
    try line.run(daemon)
    #expect(daemon.depositRequestCount == 1)
    for _ in 0..<5 {
      line.advance(.seconds(10))
      try line.run(daemon)
    }
    #expect(daemon.stored == [letter.id] && daemon.depositRequestCount == 2)
    #expect(daemon.chunkRequestCount <= letter.chunks.count + Int(Limits.creditMax))
  }

  @Test func `interrupted deposit goes on where the carrier is`() throws {
    let letter = Letter(1, payloadByteCount: Self.large)
    let alice = try line.end()
    try alice.put(letter)
    alice.client.connected(at: line.now)
    try line.run(alice, countMax: 30)
    let answered = alice.chunkRequestCount
    alice.client.interrupted()
    alice.client.connected(at: line.now)
    try line.run(alice)
    #expect(alice.stored == [letter.id])
    // Half of what was sent was answered, and everything has arrived: nothing goes twice.
    #expect(answered > 16 && alice.chunkRequestCount == letter.chunks.count)
  }

  @Test func `mailbox that is refused is tried again and holds up nobody`() throws {
    let other = Mailbox(repeating: 0x77)
    let alice = try line.end(correspondents: [TestHost.mailbox, other])
    try alice.put(Letter(1), for: [other])
    try alice.put(Letter(2), for: [TestHost.mailbox, other])
    alice.client.connected(at: line.now)
    try line.run(alice)
    #expect(alice.stored == [Letter(2).id])
    #expect(Set(alice.refusals.map(\.mailbox)) == [other])
    let count = alice.refusals.count
    let time = try #require(alice.client.nextAttempt)
    #expect(time > line.now && time < line.now + .seconds(60))
    line.advance(time - line.now)
    try line.run(alice)
    #expect(alice.refusals.count > count)
  }

  /// Or the loop would turn without a pause until the carrier is back.
  @Test func `without a connection nothing is due by itself`() throws {
    let other = Mailbox(repeating: 0x77)
    let alice = try line.end(correspondents: [other])
    try alice.put(Letter(1), for: [other])
    alice.client.connected(at: line.now)
    try line.run(alice)
    #expect(alice.client.nextAttempt != nil)
    alice.client.interrupted()
    #expect(alice.client.nextAttempt == nil)
    alice.client.connected(at: line.now)
    #expect(alice.client.nextAttempt != nil)
  }

  @Test func `disk that is full stops only what comes and only for a while`() throws {
    let down = Letter(1, payloadByteCount: Self.large)
    let alice = try line.end()
    let spool = alice.store.state.spool.path
    try FileManager.default.removeItem(atPath: spool)
    try line.putMail(down)
    alice.client.connected(at: line.now)
    try line.run(alice)
    #expect(alice.unkeptCount == 1 && alice.accepted == [])
    try alice.put(Letter(2))
    try line.run(alice)
    #expect(alice.stored == [Letter(2).id])
    try FileManager.default.createDirectory(atPath: spool, withIntermediateDirectories: false)
    let time = try #require(alice.client.nextAttempt)
    line.advance(time - line.now)
    try line.run(alice)
    #expect(alice.accepted == [down.id])
  }
}
