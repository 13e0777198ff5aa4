import Mailboxes
import MessageFormat

/// The chunks of a stored message as one row of bytes, each with its length in front, readable from any place.
struct ChunkRecords {
  static let headerByteCount = 4
  private static let fullByteCount = UInt64(headerByteCount + Limits.chunkByteCountMax)

  private let chunks: StoredChunks
  /// Of the first two, with their headers; of the others all but the last are full.
  private let lengths: (UInt64, UInt64)

  init(_ chunks: StoredChunks) throws(MailboxError) {
    self.chunks = chunks
    lengths = (
      UInt64(Self.headerByteCount + (try chunks[0]).count),
      UInt64(Self.headerByteCount + (try chunks[1]).count)
    )
  }

  /// From `offset` to the end of its record, or to `end`.
  func piece(at offset: UInt64, end: UInt64) throws(MailboxError) -> ArraySlice<UInt8> {
    let (index, begin) = place(of: offset)
    let chunk = try chunks[index]
    let record = Self.header(of: chunk.count) + chunk
    let lower = Int(offset - begin)
    return record[lower..<min(record.count, Int(clamping: end - begin))]
  }

  private func place(of offset: UInt64) -> (index: UInt32, begin: UInt64) {
    if offset < lengths.0 { return (0, 0) }
    if offset < lengths.0 + lengths.1 { return (1, lengths.0) }
    let begin = lengths.0 + lengths.1
    let index = (offset - begin) / Self.fullByteCount
    return (UInt32(index) + 2, begin + index * Self.fullByteCount)
  }

  static func header(of count: Int) -> [UInt8] {
    (0..<headerByteCount).map { UInt8(truncatingIfNeeded: count >> (24 - 8 * $0)) }
  }
}
