import Foundation
import GRDB
import Mailboxes
import MessageFormat
import Spool
import TestSupport
import Testing

/// What a store keeps of a message that is on its way in when its program ends, however it ends.
@Suite struct PartialTests {
  private struct Fault: Error {}

  private static let letter = Letter(1, payloadByteCount: 40 << 20)
  private let letter = PartialTests.letter
  private let alice = Mailbox(repeating: 1)
  private let test: Store

  init() throws { test = try Store() }

  /// Another run of the program on the same directory.
  private func restarted() throws -> Store {
    try Store(in: test.folder, directory: test.directory)
  }

  private func resume(
    in store: Store, _ offer: DepositOffer? = nil, from depositor: Mailbox? = nil
  ) throws -> MessageWriter {
    try store.store.resume(
      offer ?? letter.offer(for: [alice]), from: depositor ?? letter.sender)
  }

  /// A run that takes so many chunks; it is killed, unless it has the time to keep them.
  private func run(chunkCount: Int, isKilled: Bool = false) throws {
    let message = try resume(in: test)
    for chunk in letter.chunks[Int(message.nextChunk)..<chunkCount] { try message.append(chunk) }
    if !isKilled { try message.keep() }
  }

  private func finish(_ message: MessageWriter, in store: Store) throws {
    for chunk in letter.chunks[Int(message.nextChunk)...] { try message.append(chunk) }
    try store.store.commit([message], at: letter.time)
    #expect(try store.store.first(in: alice)?.chunks() == letter.chunks)
    try expectNothingKept(in: store, names: ["\(letter.id.hex).sealed"])
  }

  private func expectNothingKept(in store: Store, names: [String] = []) throws {
    #expect(try store.spoolNames == names)
    #expect(try store.rowCount(of: "partial") == 0)
  }

  /// Of the one that is kept.
  private var path: String {
    get throws {
      let name = try #require(try test.spoolNames.first { $0.hasSuffix(".partial") })
      return test.store.state.spool.path(of: name)
    }
  }

  @Test func `message goes on where the run before ended`() throws {
    for count in [70, 200, 310] {
      try run(chunkCount: count)
      #expect(try test.spoolNames.count == 1)
      #expect(try resume(in: test).nextChunk == count)
    }
    let store = try restarted()
    try finish(resume(in: store), in: store)
  }

  @Test func `killed run loses no more than a step`() throws {
    try run(chunkCount: 257, isKilled: true)
    #expect(try restarted().spoolNames == [])
    try run(chunkCount: 300, isKilled: true)
    let store = try restarted()
    let message = try resume(in: store)
    // The first two chunks are small: with the 258th there are 32 MiB.
    #expect(message.nextChunk == 258)
    try finish(message, in: store)
  }

  /// What lies behind is what a power cut makes of it.
  @Test func `bytes that were not synced are not trusted`() throws {
    try run(chunkCount: 300, isKilled: true)
    let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
    let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
    let kept = 258 * 4 + letter.chunks[..<258].reduce(0) { $0 + $1.count }
    #expect(try #require(size) > kept)
    try file.seek(toOffset: UInt64(kept))
    try file.write(contentsOf: Data(repeating: 0xff, count: 9 << 20))
    try file.close()
    let store = try restarted()
    try finish(resume(in: store), in: store)
  }

  @Test func `file that is shorter than its row is not trusted`() throws {
    try run(chunkCount: 100)
    try #require(unsafe truncate(path, 9 << 20) == 0)
    let store = try restarted()
    let message = try resume(in: store)
    #expect(message.nextChunk == 0)
    try expectNothingKept(in: store)
    try finish(message, in: store)
  }

  @Test(arguments: [true, false])
  func `row without its file is not trusted`(isRestarted: Bool) throws {
    try run(chunkCount: 100)
    try FileManager.default.removeItem(atPath: path)
    let store = isRestarted ? try restarted() : test
    if isRestarted { try expectNothingKept(in: store) }
    let message = try resume(in: store)
    #expect(message.nextChunk == 0)
    try finish(message, in: store)
  }

  @Test func `file without a row is swept`() throws {
    try run(chunkCount: 100)
    try test.store.state.queue.write { try $0.execute(sql: "DELETE FROM partial") }
    #expect(try test.spoolNames.count == 1)
    try expectNothingKept(in: restarted())
  }

  /// A power cut may bring back a row that was removed: its file's name was never used again.
  @Test func `row that came back does not go with other bytes`() throws {
    try run(chunkCount: 100)
    let (old, copy) = (
      try path,
      try test.store.state.queue.read { database in
        try Row.fetchAll(database, sql: "SELECT * FROM partial")
      }
    )
    try test.store.discard(test.store.unfinished())
    try run(chunkCount: 120)
    #expect(try path != old)
    try test.store.state.queue.write { database in
      try database.execute(sql: "DELETE FROM partial")
      for row in copy {
        try database.execute(
          sql: "INSERT INTO partial VALUES (?, ?, ?, ?, ?, ?)",
          arguments: StatementArguments(row.databaseValues))
      }
    }
    let store = try restarted()
    try expectNothingKept(in: store)
    #expect(try resume(in: store).nextChunk == 0)
  }

  @Test func `what is less than it is worth is not kept`() throws {
    try run(chunkCount: 60)
    try expectNothingKept(in: test)
    let small = Letter(2, payloadByteCount: 4 << 20)
    let message = try resume(in: test, small.offer(for: [alice]))
    for chunk in small.chunks.dropLast() { try message.append(chunk) }
    try message.keep()
    try expectNothingKept(in: test)
  }

  /// What the signer seals itself is of no use to another run.
  @Test func `message that is not resumed is not kept`() throws {
    do {
      let message = try MessageWriter(
        letter.offer(for: [alice]), from: letter.sender, into: test.store)
      for chunk in letter.chunks.dropLast() { try message.append(chunk) }
      try message.keep()
      try expectNothingKept(in: test)
    }
    try run(chunkCount: 100)
    #expect(try test.incoming(letter, for: [alice]).isComplete)
  }
}

// MARK: - Two at a time, and others

extension PartialTests {
  @Test func `second run begins anew and leaves the first its file`() throws {
    let first = try resume(in: test)
    for chunk in letter.chunks[..<100] { try first.append(chunk) }
    try first.keep()
    let other = try restarted()
    #expect(try other.store.unfinished().isEmpty)
    let second = try resume(in: other)
    #expect(second.nextChunk == 0)
    for chunk in letter.chunks[..<300] { try second.append(chunk) }
    try second.keep()
    #expect(try other.spoolNames.count == 1 && other.rowCount(of: "partial") == 1)
    for chunk in letter.chunks[300...] { try second.append(chunk) }
    try other.store.commit([second], at: letter.time)
    #expect(try restarted().spoolNames.count == 2)
    try finish(first, in: test)
    #expect(try test.store.messages(in: alice, countMax: 9).count == 1)
  }

  @Test(arguments: [
    PartialTests.letter.offer(for: [Mailbox(repeating: 1), Mailbox(repeating: 2)]),
    PartialTests.letter.offer(for: [Mailbox(repeating: 2)]),
    DepositOffer(
      id: PartialTests.letter.id, mailboxes: [Mailbox(repeating: 1)],
      size: PartialTests.letter.size, slot: Slot(repeating: 3)),
    DepositOffer(
      id: PartialTests.letter.id, mailboxes: [Mailbox(repeating: 1)],
      size: Letter(1, payloadByteCount: 41 << 20).size),
  ])
  func `another offer is not mixed with the old bytes`(_ offer: DepositOffer) throws {
    try run(chunkCount: 100)
    let store = try restarted()
    #expect(try resume(in: store, offer).nextChunk == 0)
    try expectNothingKept(in: store)
    try finish(resume(in: store), in: store)
  }

  @Test func `each depositor has its own`() throws {
    try run(chunkCount: 100)
    let other = try resume(in: test, from: Mailbox(repeating: 8))
    #expect(other.nextChunk == 0)
    for chunk in letter.chunks[..<80] { try other.append(chunk) }
    try other.keep()
    #expect(try test.spoolNames.count == 2)
    #expect(try resume(in: test).nextChunk == 100)
  }

  @Test func `discarded message gives its space back`() throws {
    try run(chunkCount: 100)
    let store = try restarted()
    let messages = try store.store.unfinished()
    #expect(messages.map(\.offer) == [letter.offer(for: [alice])])
    #expect(messages.map(\.nextChunk) == [100])
    try store.store.discard(messages)
    try expectNothingKept(in: store)
  }

  @Test func `commit that fails leaves no half`() throws {
    try run(chunkCount: 100)
    do {
      let message = try resume(in: test)
      for chunk in letter.chunks[100...] { try message.append(chunk) }
      #expect(throws: Fault.self) {
        try test.store.commit([message], at: letter.time) { _ in throw Fault() }
      }
    }
    #expect(try test.store.first(in: alice) == nil)
    let store = try restarted()
    try finish(resume(in: store), in: store)
  }
}
