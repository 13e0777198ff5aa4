import CarrierProtocol
import Foundation
import Mailboxes
import MessageFormat
import TestSupport
import Testing

/// Messages whose files the disk has lost, or does not let us read, at the carrier and at who hands them over: what is behind
/// them goes on.
@Suite struct DamagedFileTests {
  /// Whether it comes back is what tells them apart.
  enum Damage: CaseIterable { case removed, empty, cut, zeroed, headerChanged, unreadable }

  private let folder: TemporaryFolder
  private let line: Line
  /// It lies in a file; the other behind it does not.
  private let damaged = Letter(1, payloadByteCount: 1_000_000)
  private let next = Letter(2)

  init() throws {
    folder = try TemporaryFolder()
    line = try Line(folder)
  }

  private func path(in store: MailboxStore) -> String {
    store.state.spool.path(of: "\(damaged.id.hex).sealed")
  }

  private func damage(_ store: MailboxStore, _ damage: Damage) throws {
    let path = path(in: store)
    switch damage {
    case .removed: try FileManager.default.removeItem(atPath: path)
    case .empty: try require(unsafe truncate(path, 0))
    case .cut: try require(unsafe truncate(path, 900_000))
    case .zeroed:
      let size = try Data(contentsOf: URL(fileURLWithPath: path)).count
      try require(unsafe truncate(path, 0))
      try require(unsafe truncate(path, off_t(size)))
    case .headerChanged:
      var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
      bytes[10] ^= 1
      try bytes.write(to: URL(fileURLWithPath: path))
    case .unreadable:
      // As root, too.
      try FileManager.default.moveItem(atPath: path, toPath: path + ".away")
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }
  }

  private func require(_ result: Int32) throws { try #require(result == 0) }

  private func repair(_ store: MailboxStore) throws {
    try FileManager.default.removeItem(atPath: path(in: store))
    try FileManager.default.moveItem(
      atPath: path(in: store) + ".away", toPath: path(in: store))
  }

  /// A minute later, over another connection.
  private func comeBack(_ end: Line.End) throws {
    line.advance(.seconds(61))
    line.carrier.advance(milliseconds: 61_000)
    end.client.interrupted()
    end.client.connected(at: line.now)
    try line.run(end)
  }

  @Test(arguments: Damage.allCases) func `carrier goes on behind it`(damage: Damage) throws {
    let store = line.carrier.store
    for letter in [damaged, next] { try line.putMail(letter) }
    var told: [MessageID?] = []
    line.carrier.server.onFault = { id, _ in told.append(id) }
    try self.damage(store, damage)
    let alice = try line.end()
    alice.client.connected(at: line.now)
    try line.run(alice)
    // It is not asked again at once by whom it had nothing for.
    line.advance(.seconds(1))
    try line.run(alice)
    #expect(alice.accepted == [next.id] && told == [damaged.id])
    guard damage == .unreadable else {
      #expect(try !store.contains(damaged.id))
      #expect(try store.usage(of: TestHost.alice, as: .mailbox).messageCount == 0)
      return
    }
    try repair(store)
    try comeBack(alice)
    #expect(alice.accepted == [next.id, damaged.id])
  }

  @Test(arguments: Damage.allCases) func `who hands over goes on behind it`(damage: Damage) throws {
    let alice = try line.end()
    for letter in [damaged, next] { try alice.put(letter) }
    try self.damage(alice.store, damage)
    alice.client.connected(at: line.now)
    try line.run(alice)
    #expect(alice.stored == [next.id])
    guard damage == .unreadable else {
      #expect(try !alice.store.contains(damaged.id))
      return
    }
    try repair(alice.store)
    try line.run(alice)
    #expect(alice.stored == [next.id])
    try comeBack(alice)
    #expect(alice.stored == [next.id, damaged.id])
  }

  /// A file system that is not mounted brings its files back: none of them is dropped.
  @Test func `nothing is dropped while the whole spool is away`() throws {
    let store = line.carrier.store
    try line.putMail(damaged)
    let spool = store.state.spool.path
    try FileManager.default.moveItem(atPath: spool, toPath: spool + ".away")
    let alice = try line.end()
    alice.client.connected(at: line.now)
    try line.run(alice)
    #expect(alice.accepted == [])
    try FileManager.default.moveItem(atPath: spool + ".away", toPath: spool)
    try comeBack(alice)
    #expect(alice.accepted == [damaged.id])
  }

  /// It is cut while it is on its way.
  @Test func `file that loses its end meanwhile is refused once`() throws {
    let store = line.carrier.store
    for letter in [damaged, next] { try line.putMail(letter) }
    let alice = try line.end()
    let collect = CarrierRequest.collect(
      after: 0, credit: Limits.creditMax, waitMilliseconds: 0)
    let answer = line.carrier.server.handle([collect.encoded()], from: alice.peer)
    try damage(store, .cut)
    let replies = try answer.map {
      try CarrierReply(decoding: line.carrier.server.parts(of: $0).reply)
    }
    #expect(
      replies.contains { if case .refused(damaged.id, .fault, _, _) = $0 { true } else { false } })
    #expect(try !store.contains(damaged.id))
    #expect(try store.state.spool.names() == [])
  }
}
