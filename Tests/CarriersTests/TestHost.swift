import CarrierProtocol
import Host
import Mailboxes
import MessageFormat
import Synchronization
import TestSupport

/// A mailbox server without a socket: what goes in, and what comes out for whom.
final class TestHost {
  static let mailbox = Mailbox(repeating: 0x51)
  static let alice = Mailbox(repeating: 0xa1)
  static let bob = Mailbox(repeating: 0xb0)

  let store: MailboxStore
  let server: MailboxServer
  private let clock: TestClock

  convenience init(
    _ folder: TemporaryFolder, byteCountMax: UInt64 = 64 << 20, quotas: DepositQuotas = .none
  ) throws {
    try self.init(onDisk: folder.path, byteCountMax: byteCountMax, quotas: quotas)
  }

  init(
    onDisk directory: String, byteCountMax: UInt64 = 64 << 20, quotas: DepositQuotas = .none
  ) throws {
    let clock = TestClock()
    store = try MailboxStore(testing: directory + "/state", sinceBoot: { clock.sinceBoot })
    self.clock = clock
    let access = CarrierAccess(
      depositors: [
        Self.mailbox: [Self.alice, Self.bob], Self.alice: [Self.mailbox], Self.bob: [Self.mailbox],
      ], byteCountMax: byteCountMax)
    let origin = ContinuousClock.now
    server = MailboxServer(
      store: store, access: access, quotas: quotas, now: { clock.now },
      clock: { origin + .milliseconds(Int64(clock.sinceBoot.milliseconds)) })
  }

  func advance(milliseconds: UInt64) { clock.advance(milliseconds: milliseconds) }

  /// Somebody sets the wall clock.
  func set(aheadByMilliseconds milliseconds: Int64) {
    clock.set(aheadByMilliseconds: milliseconds)
  }

  func ask(_ request: CarrierRequest, from peer: MailboxServer.Peer) -> [CarrierReply] {
    server.handle([request.encoded()], from: peer).map(\.reply)
  }

  func chunk(_ letter: Letter, _ index: Int, from peer: MailboxServer.Peer) -> [CarrierReply] {
    let name = ChunkName(id: letter.id, index: UInt32(index))
    return server.handle([CarrierRequest.chunk(name).encoded(), letter.chunks[index]], from: peer)
      .map(\.reply)
  }

  func offer(
    _ letter: Letter, in mailboxes: [Mailbox] = [TestHost.mailbox], from peer: MailboxServer.Peer
  ) -> [CarrierReply] {
    ask(.deposit(letter.offer(for: mailboxes)), from: peer)
  }

  /// All of it, up to `flush`.
  func upload(
    _ letter: Letter, in mailboxes: [Mailbox] = [TestHost.mailbox], from peer: MailboxServer.Peer
  ) -> [CarrierReply] {
    offer(letter, in: mailboxes, from: peer)
      + letter.chunks.indices.flatMap { chunk(letter, $0, from: peer) }
  }
}

final class TestClock: Sendable {
  private let milliseconds = Atomic<UInt64>(100_000_000_000)
  private let ahead = Atomic<Int64>(0)

  /// On the wall.
  var now: Timestamp {
    let right = Int64(milliseconds.load(ordering: .relaxed))
    return Timestamp(milliseconds: UInt64(right + ahead.load(ordering: .relaxed)))
  }

  /// The clock that nobody sets.
  var sinceBoot: BootTime {
    BootTime(boot: "boot", milliseconds: milliseconds.load(ordering: .relaxed))
  }

  func set(aheadByMilliseconds milliseconds: Int64) {
    ahead.store(milliseconds, ordering: .relaxed)
  }

  func advance(milliseconds more: UInt64) { milliseconds.add(more, ordering: .relaxed) }
}

extension MailboxServer.Peer {
  /// The identity's connection of this number.
  static func connection(_ number: UInt8, of mailbox: Mailbox) -> MailboxServer.Peer {
    MailboxServer.Peer(routingID: [0, number], mailbox: mailbox)
  }
}
