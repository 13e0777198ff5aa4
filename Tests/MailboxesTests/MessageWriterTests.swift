import Mailboxes
import MessageFormat
import TestSupport
import Testing

@Suite struct MessageWriterTests {
  private let alice = Mailbox(repeating: 1)
  private let test: Store

  init() throws { test = try Store() }

  private func begin(chunkCount: UInt32, byteCount: UInt64) throws -> MessageWriter {
    let size = SealedSize(chunkCount: chunkCount, byteCount: byteCount)
    return try MessageWriter(
      DepositOffer(id: MessageID(number: 1), mailboxes: [alice], size: size),
      from: Mailbox(repeating: 9), into: test.store)
  }

  private func expectRefusal(of byteCount: Int, after counts: [Int] = [], of total: UInt64) throws {
    let message = try begin(chunkCount: 4, byteCount: total)
    for count in counts { try message.append([UInt8](repeating: 1, count: count)) }
    let error = #expect(throws: MailboxError.self) {
      try message.append([UInt8](repeating: 1, count: byteCount))
    }
    guard case .outOfOrder = error else {
      Issue.record("\(String(describing: error)) for \(counts) \(byteCount)")
      return
    }
    #expect(message.nextChunk == UInt32(counts.count))
  }

  @Test func chunksOfOtherSizesThanTheFormatSaysAreRefused() throws {
    let full = Limits.chunkByteCountMax
    for total in [UInt64(full) + 61, UInt64(8 * full)] {
      try expectRefusal(of: 0, of: total)
      try expectRefusal(of: full + 1, of: total)
      try expectRefusal(of: 0, after: [10, 20], of: total)
      // Only the last piece of a payload may be short.
      try expectRefusal(of: full - 1, after: [10, 20], of: total)
      try expectRefusal(of: 0, after: [10, 20, full], of: total)
    }
    // More, and less, than was announced.
    try expectRefusal(of: 32, after: [10, 20, full], of: UInt64(full) + 61)
    try expectRefusal(of: 30, after: [10, 20, full], of: UInt64(full) + 61)
    try expectRefusal(of: 62, after: [], of: 61)
  }

  @Test func chunkAfterTheLastIsRefused() throws {
    let message = try begin(chunkCount: 2, byteCount: 3)
    try message.append([1])
    #expect(!message.isComplete)
    try message.append([2, 3])
    #expect(message.isComplete)
    #expect(throws: MailboxError.self) { try message.append([4]) }
    try test.store.commit([message], at: Timestamp(milliseconds: 1))
    #expect(try test.store.first(in: alice)?.chunks() == [[1], [2, 3]])
  }

  @Test(arguments: [100, 1_000_000])
  func unfinishedDepositLeavesNothing(payloadByteCount: Int) throws {
    let letter = Letter(1, payloadByteCount: payloadByteCount)
    do {
      let message = try MessageWriter(
        letter.offer(for: [alice]), from: letter.sender, into: test.store)
      for chunk in letter.chunks.dropLast() { try message.append(chunk) }
      #expect(try test.spoolNames == [])
      #expect(try test.store.first(in: alice) == nil)
    }
    #expect(try test.spoolNames == [])
    #expect(try test.rowCount(of: "message") == 0)
  }

  @Test func nothingIsVisibleBeforeTheCommit() throws {
    let message = try test.incoming(Letter(1), for: [alice])
    #expect(try test.store.first(in: alice) == nil)
    #expect(try !test.store.contains(Letter(1).id))
    try test.store.commit([message], at: Timestamp(milliseconds: 1))
    #expect(try test.store.contains(Letter(1).id))
  }
}
