import Foundation
package import GRDB
package import MessageFormat
import Spool

/// A sealed message on its way into a store, chunk by chunk; nothing of it is visible until `MailboxStore.commit`.
///
/// Belongs to one thread. A message that is released without a commit leaves nothing behind.
package final class IncomingMessage {
  static let finishedSuffix = ".sealed"
  static let recordHeaderByteCount: UInt64 = 4

  package let offer: DepositOffer
  package let depositor: Mailbox
  package private(set) var nextChunk: UInt32 = 0
  private var byteCount: UInt64 = 0
  private var inline: [[UInt8]] = []
  private let file: SpoolFile?
  private var isLinked = false
  private let spool: SpoolDirectory

  package init(
    _ offer: DepositOffer, from depositor: Mailbox, into store: MailboxStore
  ) throws(MailboxError) {
    self.offer = offer
    self.depositor = depositor
    spool = store.state.spool
    guard offer.size.byteCount > MailboxStore.inlineByteCountMax else {
      file = nil
      return
    }
    do { file = try SpoolFile.temporary(in: spool.path) } catch { throw .spool(error) }
  }

  /// The chunks of a small message so far; none of one that lies in a file.
  package var inlineChunks: [[UInt8]] { inline }

  package var isComplete: Bool { nextChunk == offer.size.chunkCount }

  /// The next chunk; its length must be what the format says for its place.
  package func append(_ chunk: [UInt8]) throws(MailboxError) {
    guard !isComplete else { throw .outOfOrder("more chunks than announced") }
    let isInnerPayload = nextChunk >= 2 && nextChunk + 1 < offer.size.chunkCount
    guard (1...Limits.chunkByteCountMax).contains(chunk.count),
      !isInnerPayload || chunk.count == Limits.chunkByteCountMax
    else { throw .outOfOrder("chunk \(nextChunk) has \(chunk.count) bytes") }
    byteCount += UInt64(chunk.count)
    guard byteCount <= offer.size.byteCount,
      nextChunk + 1 < offer.size.chunkCount || byteCount == offer.size.byteCount
    else { throw .outOfOrder("the chunks have other sizes than announced") }
    if let file {
      do {
        try file.append(Self.recordHeader(length: chunk.count))
        try file.append(chunk)
      } catch {
        throw .spool(error)
      }
    } else {
      inline.append(chunk)
    }
    nextChunk += 1
  }

  /// All bytes of a file are on the disk before it gets its name.
  fileprivate func sync() throws {
    precondition(isComplete, "only a whole message is committed")
    try file?.sync()
  }

  fileprivate func insert(into database: Database, at time: Timestamp) throws {
    let id = Data(offer.id.bytes)
    try database.cachedStatement(sql: "INSERT OR IGNORE INTO message VALUES (?, ?, ?, ?, ?)")
      .execute(arguments: [
        id, offer.size.chunkCount, Int64(offer.size.byteCount), Data(depositor.bytes),
        Int64(time.milliseconds),
      ])
    // A repeated deposit finds everything there already.
    guard database.changesCount > 0 else { return }
    try linkFile()
    let chunkStatement = try database.cachedStatement(sql: "INSERT INTO chunk VALUES (?, ?, ?)")
    for (number, bytes) in inline.enumerated() {
      try chunkStatement.execute(arguments: [id, number, Data(bytes)])
    }
    let deliveryStatement = try database.cachedStatement(
      sql: "INSERT INTO delivery (mailbox, message) VALUES (?, ?)")
    for mailbox in offer.mailboxes {
      try deliveryStatement.execute(arguments: [Data(mailbox.bytes), id])
    }
  }

  private func linkFile() throws(SpoolError) {
    guard let file else { return }
    let name = Self.fileName(of: offer.id)
    // Without a row until now, a file of this name is what a killed run left behind.
    try spool.remove(name)
    try file.link(as: name, in: spool)
    isLinked = true
    try spool.sync()
  }

  /// The row that goes with the file is rolled back.
  fileprivate func unlinkFile() throws(SpoolError) {
    if isLinked { try spool.remove(Self.fileName(of: offer.id)) }
    isLinked = false
  }
}

extension MailboxStore {
  /// Any number of whole messages in one durable step; `also` runs in the same transaction, and what it throws undoes
  /// all of it. Everything else that is thrown is a `MailboxError`.
  ///
  /// After an error nothing of them is stored, and a message that is tried again is made anew.
  ///
  /// Files get and lose their names only within write transactions: another process that works on the same state, a
  /// second push at the same time, sees a file and its row together or neither.
  package func commit(
    _ messages: [IncomingMessage], at time: Timestamp, also: (Database) throws -> Void = { _ in }
  ) throws {
    do {
      for message in messages { try message.sync() }
      try state.queue.write { database in
        do {
          for message in messages { try message.insert(into: database, at: time) }
          try also(database)
        } catch {
          for message in messages { try message.unlinkFile() }
          throw error
        }
      }
    } catch let error as SpoolError {
      throw MailboxError.spool(error)
    } catch let error as DatabaseError {
      throw MailboxError.database(error)
    }
  }
}

extension IncomingMessage {
  static func fileName(of id: MessageID) -> String { id.hex + finishedSuffix }

  static func messageID(ofFile name: String) -> MessageID? {
    guard name.hasSuffix(finishedSuffix) else { return nil }
    let digits = Array(name.utf8.dropLast(finishedSuffix.utf8.count))
    guard digits.count == 2 * nameByteCount else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let byte = UInt8(String(decoding: digits[index...index + 1], as: UTF8.self), radix: 16)
      else { return nil }
      bytes.append(byte)
    }
    return MessageID(bytes)
  }

  static func recordHeader(length: Int) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) }
  }

  /// With its header; a length over the limit means that the disk lost something.
  static func recordLength(in file: SpoolFile, at offset: UInt64) throws(SpoolError) -> UInt64 {
    let header = try file.read(at: offset, count: Int(recordHeaderByteCount))
    let length = header.reduce(0) { $0 << 8 | UInt64($1) }
    guard length <= UInt64(Limits.chunkByteCountMax) else {
      throw .endsEarly(path: file.path, offset: offset)
    }
    return recordHeaderByteCount + length
  }
}
