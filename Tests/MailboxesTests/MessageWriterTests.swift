import Foundation
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

  @Test func `chunks of other sizes than the format says are refused`() throws {
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

  @Test func `chunk after the last is refused`() throws {
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
  func `unfinished deposit leaves nothing`(payloadByteCount: Int) throws {
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

  @Test(.enabled(if: SmallDisk.isAllowed, "mounting needs the right to"))
  func `a chunk for which there was no room comes again when there is`() throws {
    let folder = try TemporaryFolder()
    let disk = folder.path + "/disk"
    try SmallDisk.mount(on: disk, byteCount: 2 << 20, home: folder.path) {
      let letter = Letter(1, payloadByteCount: 1_200_000)
      let test = try Store(in: folder, directory: disk + "/state")
      let filler = disk + "/filler"
      let message = try MessageWriter(
        letter.offer(for: [alice]), from: letter.sender, into: test.store)
      try message.append(letter.chunks[0])
      try Data(count: 1 << 20).write(to: URL(fileURLWithPath: filler))
      let error = #expect(throws: MailboxError.self) {
        for chunk in letter.chunks.dropFirst() { try message.append(chunk) }
      }
      guard case .spool = error else {
        Issue.record("got \(String(describing: error))")
        return
      }
      #expect(!message.isComplete)
      try FileManager.default.removeItem(atPath: filler)
      for chunk in letter.chunks[Int(message.nextChunk)...] { try message.append(chunk) }
      try test.store.commit([message], at: Timestamp(milliseconds: 1))
      #expect(try test.store.first(in: alice)?.chunks() == letter.chunks)
    }
  }

  @Test func `nothing is visible before the commit`() throws {
    let message = try test.incoming(Letter(1), for: [alice])
    #expect(try test.store.first(in: alice) == nil)
    #expect(try !test.store.contains(Letter(1).id))
    try test.store.commit([message], at: Timestamp(milliseconds: 1))
    #expect(try test.store.contains(Letter(1).id))
  }
}
