import Foundation
import GRDB
package import MessageFormat
import Spool

/// A sealed message on its way into a store, chunk by chunk; nothing of it is visible until `MailboxStore.commit`.
///
/// Belongs to one thread. A message that is released without a commit leaves nothing behind, unless it was made by
/// `MailboxStore.resume`.
package final class MessageWriter {
  static let finishedSuffix = ".sealed"
  static let recordHeaderByteCount: UInt64 = 4
  private static let syncStepByteCount: UInt64 = 4 << 20
  /// What is less is sent again as soon.
  static let keptByteCountMin: UInt64 = 8 << 20
  /// What the end of the program costs at most: few enough bytes for a slow line, and few enough syncs for a fast one.
  private static let keptStepByteCount: UInt64 = 32 << 20

  package let offer: DepositOffer
  package let depositor: Mailbox
  package private(set) var nextChunk: UInt32 = 0
  /// After a commit: whether each of its mailboxes holds it. If not, another depositor was there before.
  package private(set) var isStored = false
  package private(set) var byteCount: UInt64 = 0
  private var syncBegunByteCount: UInt64 = 0
  private var inline: [[UInt8]] = []
  private let file: SpoolFile?
  /// `nil`: nothing of it is kept.
  private var partial: Partial?
  private var isLinked = false
  private let state: StateDatabase

  private init(
    _ offer: DepositOffer, from depositor: Mailbox, in file: SpoolFile?, _ partial: Partial?,
    into store: MailboxStore
  ) {
    (self.offer, self.depositor) = (offer, depositor)
    (self.file, self.partial, state) = (file, partial, store.state)
  }

  package convenience init(
    _ offer: DepositOffer, from depositor: Mailbox, into store: MailboxStore
  ) throws(MailboxError) {
    let isFile = offer.size.byteCount > MailboxStore.inlineByteCountMax
    self.init(
      offer, from: depositor, in: isFile ? try Self.file(in: store) : nil, nil, into: store)
  }

  /// One that outlives its release, as far as it was kept.
  convenience init(
    keeping offer: DepositOffer, from depositor: Mailbox, into store: MailboxStore
  ) throws(MailboxError) {
    self.init(
      offer, from: depositor, in: try Self.file(in: store), Partial(offer, from: depositor),
      into: store)
  }

  /// One that goes on behind what `file` holds, which is what was kept.
  convenience init(_ partial: Partial, in file: SpoolFile, into store: MailboxStore) {
    self.init(partial.offer, from: partial.depositor, in: file, partial, into: store)
    (nextChunk, byteCount) = (partial.chunkCount, partial.byteCount)
    syncBegunByteCount = file.size
  }

  private static func file(in store: MailboxStore) throws(MailboxError) -> SpoolFile {
    do { return try SpoolFile.temporary(in: store.state.spool.path) } catch { throw .spool(error) }
  }

  /// The chunks of a small message so far; none of one that lies in a file.
  package var inlineChunks: [[UInt8]] { inline }

  package var isComplete: Bool { nextChunk == offer.size.chunkCount }

  /// The next chunk; its length must be what the format says for its place. After an error the message is as it was before.
  package func append(_ chunk: [UInt8]) throws(MailboxError) {
    guard !isComplete else { throw .outOfOrder("more chunks than announced") }
    let isInnerPayload = nextChunk >= 2 && nextChunk + 1 < offer.size.chunkCount
    guard (1...Limits.chunkByteCountMax).contains(chunk.count),
      !isInnerPayload || chunk.count == Limits.chunkByteCountMax
    else { throw .outOfOrder("chunk \(nextChunk) has \(chunk.count) bytes") }
    let byteCount = self.byteCount + UInt64(chunk.count)
    guard byteCount <= offer.size.byteCount,
      nextChunk + 1 < offer.size.chunkCount || byteCount == offer.size.byteCount
    else { throw .outOfOrder("the chunks have other sizes than announced") }
    if let file {
      try append(chunk, to: file)
    } else {
      inline.append(chunk)
    }
    nextChunk += 1
    self.byteCount = byteCount
    if let partial, byteCount - partial.byteCount >= Self.keptStepByteCount { try keep() }
  }

  private func append(_ chunk: [UInt8], to file: SpoolFile) throws(MailboxError) {
    let size = file.size
    do {
      try file.append(Self.recordHeader(length: chunk.count))
      try file.append(chunk)
      try syncNowAndThen(file)
    } catch {
      do { try file.truncate(to: size) } catch { throw .spool(error) }
      throw .spool(error)
    }
  }

  /// So that the last sync of a large message, for which everyone waits, finds little to do.
  private func syncNowAndThen(_ file: SpoolFile) throws(SpoolError) {
    guard file.size - syncBegunByteCount >= Self.syncStepByteCount else { return }
    try file.beginSync(from: syncBegunByteCount)
    syncBegunByteCount = file.size
  }

  /// All bytes of a file are on the disk before it gets its name.
  func sync() throws {
    precondition(isComplete, "only a whole message is committed")
    try file?.sync()
  }

  /// Answers the files that lost their last mailbox by it: what lay in its slot before.
  func insert(into database: Database, at time: ArrivalTime) throws -> [MessageID] {
    let abandoned = try store(in: database, at: time)
    try removePartial(in: database)
    return abandoned
  }

  private func store(in database: Database, at time: ArrivalTime) throws -> [MessageID] {
    let id = Data(offer.id.bytes)
    switch try MailboxStore.stored(offer, from: depositor, in: database) {
    case .fromAnother:
      isStored = false
      return []
    case .without(let mailboxes):
      // A repeated deposit, or one for more mailboxes: the bytes are there already.
      isStored = true
      return try MailboxStore.deliver(offer, to: mailboxes, from: depositor, in: database)
    case .not: break
    }
    try database.cachedStatement(sql: "INSERT INTO message VALUES (?, ?, ?, ?, ?, ?)")
      .execute(arguments: [
        id, offer.size.chunkCount, Int64(offer.size.byteCount), Data(depositor.bytes),
        time.wall, Int64(clamping: time.age),
      ])
    try linkFile()
    let chunkStatement = try database.cachedStatement(sql: "INSERT INTO chunk VALUES (?, ?, ?)")
    for (number, bytes) in inline.enumerated() {
      try chunkStatement.execute(arguments: [id, number, Data(bytes)])
    }
    isStored = true
    return try MailboxStore.deliver(offer, to: offer.mailboxes, from: depositor, in: database)
  }

  private func linkFile() throws(SpoolError) {
    guard let file else { return }
    let name = Self.fileName(of: offer.id)
    // Without a row until now, a file of this name is what a killed run left behind.
    try state.spool.remove(name)
    try file.link(as: name, in: state.spool)
    isLinked = true
    try state.spool.sync()
  }

  /// The row that goes with the file is rolled back.
  func unlinkFile() throws(SpoolError) {
    if isLinked { try state.spool.remove(Self.fileName(of: offer.id)) }
    isLinked = false
  }
}

// MARK: - What outlives the program

extension MessageWriter {
  /// Whether there will be something of it after the end of the program.
  package var isKept: Bool { keptChunkCount > 0 }

  /// How many of its chunks are on the disk, whatever happens.
  package var keptChunkCount: UInt32 { partial?.chunkCount ?? 0 }

  /// From now on what has come so far is there after the end of the program, and after a power cut: it is on the disk before
  /// its row says so.
  package func keep() throws(MailboxError) {
    guard var partial, let file, !isComplete, byteCount >= Self.keptByteCountMin,
      nextChunk > partial.chunkCount
    else { return }
    let isNamed = isKept
    (partial.chunkCount, partial.byteCount) = (nextChunk, byteCount)
    do {
      try file.sync()
      guard try file.lock() else { return }
      try state.queue.write { database in
        guard try partial.write(to: database) else { return }
        if !isNamed {
          try file.link(as: partial.file, in: state.spool)
          try state.spool.sync()
        }
        self.partial = partial
      }
    } catch {
      throw MailboxError(error)
    }
  }

  /// Where it was stored, its file has another name by now.
  func removePartial(in database: Database) throws {
    guard isKept, let partial else { return }
    try partial.remove(in: database)
    try state.spool.remove(partial.file)
    self.partial = nil
  }
}

extension MessageWriter {
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

  /// With its header; a length that no chunk has means that the disk lost something.
  static func recordLength(in file: SpoolFile, at offset: UInt64) throws(SpoolError) -> UInt64 {
    let header = try file.read(at: offset, count: Int(recordHeaderByteCount))
    let length = header.reduce(0) { $0 << 8 | UInt64($1) }
    guard (1...UInt64(Limits.chunkByteCountMax)).contains(length) else {
      throw .endsEarly(path: file.path, offset: offset)
    }
    return recordHeaderByteCount + length
  }
}
