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

  init(row: Row, mailbox: Mailbox, state: StateDatabase) {
    guard let id = MessageID(Array(row["id"] as Data)),
      let depositor = Mailbox(Array(row["depositor"] as Data))
    else {
      preconditionFailure("the database holds a name that is not 32 bytes")
    }
    self.mailbox = mailbox
    self.state = state
    self.depositor = depositor
    entry = MailboxEntry(position: UInt64(row["position"] as Int64), id: id)
    size = SealedSize(
      chunkCount: UInt32(row["chunkCount"] as Int64), byteCount: UInt64(row["byteCount"] as Int64))
    receivedAt = Timestamp(milliseconds: UInt64(row["receivedAt"] as Int64))
  }

  /// For reading its chunks, each any number of times; belongs to one thread.
  package func open() throws(MailboxError) -> StoredChunks {
    guard isFile else { return StoredChunks(inline: try inlineChunks()) }
    do {
      return try StoredChunks(
        file: SpoolFile.open(state.spool.path(of: IncomingMessage.fileName(of: id))), size: size)
    } catch {
      // Where all of the spool is away, the file may come back with it.
      throw error.isNoSuchFile && state.spool.isThere ? .missing(id) : .spool(error)
    }
  }

  private func inlineChunks() throws(MailboxError) -> [[UInt8]] {
    do {
      let chunks = try state.queue.inDatabase { database in
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
    /// `payloadOffset`: where chunk 2 starts; from there on all records but the last have one length.
    case file(SpoolFile, payloadOffset: UInt64)
  }

  package let count: UInt32
  private let source: Source

  init(inline chunks: [[UInt8]]) {
    count = UInt32(chunks.count)
    source = .inline(chunks)
  }

  init(file: SpoolFile, size: SealedSize) throws(SpoolError) {
    count = size.chunkCount
    let header = try IncomingMessage.recordLength(in: file, at: 0)
    let statement = try IncomingMessage.recordLength(in: file, at: header)
    source = .file(file, payloadOffset: header + statement)
  }

  package subscript(index: UInt32) -> [UInt8] {
    get throws(MailboxError) {
      precondition(index < count)
      switch source {
      case .inline(let chunks): return chunks[Int(index)]
      case .file(let file, let payloadOffset):
        do {
          let offset = try offset(of: index, in: file, payloadOffset: payloadOffset)
          let length = try IncomingMessage.recordLength(in: file, at: offset)
          let header = IncomingMessage.recordHeaderByteCount
          return try file.read(at: offset + header, count: Int(length - header))
        } catch {
          throw .spool(error)
        }
      }
    }
  }

  private func offset(
    of index: UInt32, in file: SpoolFile, payloadOffset: UInt64
  ) throws(SpoolError) -> UInt64 {
    switch index {
    case 0: 0
    case 1: try IncomingMessage.recordLength(in: file, at: 0)
    default:
      payloadOffset + UInt64(index - 2)
        * (IncomingMessage.recordHeaderByteCount + UInt64(Limits.chunkByteCountMax))
    }
  }
}
