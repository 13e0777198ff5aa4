import Foundation
import GRDB
package import MessageFormat
import Spool

/// A sealed message that lies whole in a store, seen from one mailbox.
package struct StoredMessage: Sendable {
  package let mailbox: Mailbox
  package let entry: MailboxEntry
  package let size: SealedSize
  package let depositor: Mailbox
  package let receivedAt: Timestamp
  private let state: StateDatabase

  package var id: MessageID { entry.id }

  var isFile: Bool { size.byteCount > MailboxStore.inlineByteCountMax }

  /// Throws GRDB's error for a row that we never wrote.
  init(row: Row, mailbox: Mailbox, state: StateDatabase) throws {
    self.mailbox = mailbox
    self.state = state
    depositor = try row.decode(forColumn: "depositor")
    entry = MailboxEntry(
      position: try row.decode(forColumn: "position"), id: try row.decode(forColumn: "id"))
    size = SealedSize(
      chunkCount: try row.decode(forColumn: "chunkCount"),
      byteCount: try row.decode(forColumn: "byteCount"))
    receivedAt = try row.decode(forColumn: "receivedAt")
  }

  /// For reading its chunks, each any number of times; belongs to one thread.
  package func open() throws(MailboxError) -> StoredChunks {
    guard isFile else { return StoredChunks(inline: try inlineChunks()) }
    do {
      return try StoredChunks(
        file: SpoolFile.open(state.spool.path(of: MessageWriter.fileName(of: id))), size: size)
    } catch {
      // Where all of the spool is away, the file may come back with it.
      throw error.isNoSuchFile && state.spool.isThere ? .missing(id) : .spool(error)
    }
  }

  private func inlineChunks() throws(MailboxError) -> [[UInt8]] {
    do {
      let chunks = try state.reading { database in
        try Data.fetchAll(
          database.cachedStatement(
            sql: "SELECT bytes FROM chunk WHERE message = ? ORDER BY number"),
          arguments: [Data(id.bytes)])
      }
      guard chunks.count == Int(size.chunkCount) else { throw MailboxError.missing(id) }
      return chunks.map { Array($0) }
    } catch {
      throw MailboxError(error)
    }
  }
}

extension MailboxStore {
  /// Chunk 0 of a message, in whatever mailbox it is; `nil`: it is not there.
  package func header(of id: MessageID) throws(MailboxError) -> [UInt8]? {
    let mailbox = try reading { database in
      try Data.fetchOne(
        database.cachedStatement(sql: "SELECT mailbox FROM delivery WHERE message = ? LIMIT 1"),
        arguments: [Data(id.bytes)])
    }
    guard let mailbox = mailbox.flatMap({ Mailbox(Array($0)) }),
      let message = try message(id, in: mailbox)
    else { return nil }
    let chunks = try message.open()
    return try chunks[0]
  }
}

/// The chunks of a stored message.
package final class StoredChunks {
  private enum Source {
    case inline([[UInt8]])
    case file(Records)
  }

  package let count: UInt32
  private let source: Source

  init(inline chunks: [[UInt8]]) {
    count = UInt32(chunks.count)
    source = .inline(chunks)
  }

  init(file: SpoolFile, size: SealedSize) throws(SpoolError) {
    count = size.chunkCount
    source = .file(try Records(file, size))
  }

  package subscript(index: UInt32) -> [UInt8] {
    get throws(MailboxError) {
      precondition(index < count)
      switch source {
      case .inline(let chunks): return chunks[Int(index)]
      case .file(let records):
        do { return try records.chunk(index) } catch { throw .spool(error) }
      }
    }
  }
}

/// The records of a message's file, one for each chunk: its length, then its bytes. Where they lie follows from the size,
/// so that each can be read without those before it, and a length that is another one shows that the disk lost something.
private struct Records {
  private static let headerByteCount = MessageWriter.recordHeaderByteCount
  private static let fullByteCount = headerByteCount + UInt64(Limits.chunkByteCountMax)

  private let file: SpoolFile
  /// Of the first two records, with their headers; of the others all but the last are full.
  private let lengths: (UInt64, UInt64)

  /// Throws `SpoolError.endsEarly` where the file is not what was written.
  init(_ file: SpoolFile, _ size: SealedSize) throws(SpoolError) {
    self.file = file
    let first = try MessageWriter.recordLength(in: file, at: 0)
    lengths = (first, try MessageWriter.recordLength(in: file, at: first))
    let count = UInt64(size.chunkCount)
    let payloadOffset = lengths.0 + lengths.1
    let fullCount = count - min(count, 3)
    guard file.size == size.byteCount + count * Self.headerByteCount,
      count > 2
        ? file.size > payloadOffset + fullCount * Self.fullByteCount
        : file.size == payloadOffset
    else { throw .endsEarly(path: file.path, offset: file.size) }
  }

  func chunk(_ index: UInt32) throws(SpoolError) -> [UInt8] {
    let (offset, length) = place(of: index)
    guard try MessageWriter.recordLength(in: file, at: offset) == length else {
      throw .endsEarly(path: file.path, offset: offset)
    }
    return try file.read(
      at: offset + Self.headerByteCount, count: Int(length - Self.headerByteCount))
  }

  private func place(of index: UInt32) -> (offset: UInt64, length: UInt64) {
    switch index {
    case 0: return (0, lengths.0)
    case 1: return (lengths.0, lengths.1)
    default:
      let offset = lengths.0 + lengths.1 + UInt64(index - 2) * Self.fullByteCount
      return (offset, min(Self.fullByteCount, file.size - offset))
    }
  }
}
