package import MessageFormat
import Sodium
package import Spool

/// A compressed payload between two stages: in memory while it is small, in a file without a name after that.
///
/// The digest runs along while bytes are appended. Belongs to one thread.
package final class PayloadBuffer {
  package static let memoryByteCountMax = 1 << 20

  package private(set) var byteCount: UInt64 = 0
  private var memory: [UInt8] = []
  private var file: SpoolFile?
  private var hasher: DigestHasher? = DigestHasher()
  private let directory: String

  /// `directory`: where a larger payload's file goes.
  package init(directory: String) {
    self.directory = directory
  }

  package func append(_ bytes: Span<UInt8>) throws(SpoolError) {
    hasher?.update(bytes)
    byteCount += UInt64(bytes.count)
    if let file { return try file.append(bytes) }
    if memory.count + bytes.count <= Self.memoryByteCountMax {
      memory.reserveCapacity(memory.count + bytes.count)
      for index in bytes.indices { memory.append(bytes[index]) }
      return
    }
    let file = try SpoolFile.temporary(in: directory)
    try file.append(memory)
    try file.append(bytes)
    memory = []
    self.file = file
  }

  package func append(_ bytes: [UInt8]) throws(SpoolError) {
    try append(bytes.span)
  }

  /// Of all that was appended; nothing can be appended afterwards.
  package func finish() -> ContentDigest {
    guard let hasher = hasher.take() else { preconditionFailure("finished already") }
    return ContentDigest(digest: hasher.finalize())
  }

  /// Exactly `count` bytes from `offset`, which must be there.
  package func read(at offset: UInt64, count: Int) throws(SpoolError) -> [UInt8] {
    precondition(offset + UInt64(count) <= byteCount)
    if let file { return try file.read(at: offset, count: count) }
    return Array(memory[Int(offset)..<Int(offset) + count])
  }

  /// All of it, in pieces of `Limits.chunkPlaintextByteCountMax` bytes; the last may have fewer.
  package func forEachPiece(_ body: ([UInt8], _ isLast: Bool) throws -> Void) throws {
    var offset: UInt64 = 0
    while offset < byteCount {
      let count = min(UInt64(Limits.chunkPlaintextByteCountMax), byteCount - offset)
      try body(try read(at: offset, count: Int(count)), offset + count == byteCount)
      offset += count
    }
  }
}
