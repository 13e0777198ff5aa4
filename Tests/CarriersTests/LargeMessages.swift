import Foundation
import Mailboxes
import MessageFormat
import TestSupport
import Testing
import ZeroMQ

/// Messages that are never in memory whole, not even here.
enum LargeMessages {
  /// Of client and server together: credit, queues, caches and libraries.
  private static let byteCountMax = 96 << 20

  /// So many chunks of payload, both ways at once.
  static func run(chunkCount: UInt32) throws {
    let server = try Server()
    let alice = try Correspondent(server.alice, in: server.folder)
    let (up, down) = (Letter(1), Letter(2))
    try put(up, chunkCount, for: server.machine.mailbox, into: alice.store)
    try put(down, chunkCount, for: server.alice.mailbox, into: server.store)
    let before = try memory("VmRSS:")
    try server.connect(alice)
    try alice.wait(within: .seconds(120)) { $0.stored == [up.id] && $0.accepted == [down.id] }
    let growth = try memory("VmHWM:") - before
    precondition(growth < byteCountMax, "memory grew by \(growth) bytes")
  }

  private static func put(
    _ letter: Letter, _ chunkCount: UInt32, for mailbox: Mailbox, into store: MailboxStore
  ) throws {
    let head = letter.chunks[..<2]
    let chunk = [UInt8](repeating: 1, count: Limits.chunkByteCountMax)
    let size = SealedSize(
      chunkCount: 2 + chunkCount,
      byteCount: UInt64(head[0].count + head[1].count + Int(chunkCount) * chunk.count))
    let message = try MessageWriter(
      DepositOffer(id: letter.id, mailboxes: [mailbox], size: size), from: letter.sender,
      into: store)
    for part in head { try message.append(part) }
    for _ in 0..<chunkCount { try message.append(chunk) }
    try store.commit([message], at: letter.time)
  }

  /// A line of proc(5)'s status, in bytes.
  private static func memory(_ name: String) throws -> Int {
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix(name) })
    let kilobytes = try #require(line.split(separator: " ").dropLast().last.flatMap { Int($0) })
    return kilobytes * 1_024
  }
}
