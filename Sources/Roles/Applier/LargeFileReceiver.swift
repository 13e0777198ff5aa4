import GitModel
import LargeFiles
import MessageFormat

/// Reads the second part of a payload as it comes: headers, each with its content behind it.
struct LargeFileReceiver {
  private let description: LargeFilesDescription
  private let incoming: IncomingLargeFiles
  private var header: [UInt8] = []
  private var last: LargeFilePointer?
  /// Of the content that is coming.
  private var missingByteCount: UInt64 = 0

  init(
    _ description: LargeFilesDescription, into store: LargeFileStore
  ) throws(LargeFileError) {
    self.description = description
    incoming = try IncomingLargeFiles(for: store)
  }

  /// Throws `Refused` and `LargeFileError`.
  mutating func append(_ bytes: Span<UInt8>) throws {
    var position = 0
    while position < bytes.count {
      if missingByteCount == 0 {
        header.append(bytes[position])
        position += 1
        if header.count == LargeFileHeader.byteCount { try begin() }
        continue
      }
      let count = Int(min(missingByteCount, UInt64(bytes.count - position)))
      try incoming.append(bytes.extracting(position..<position + count))
      missingByteCount -= UInt64(count)
      position += count
      if missingByteCount == 0 { try incoming.finish() }
    }
  }

  private mutating func begin() throws {
    guard let pointer = LargeFileHeader.decode(header) else {
      throw Refused(.malformed, "a large file of a size that none has")
    }
    if let last, !last.digest.lexicographicallyPrecedes(pointer.digest) {
      throw Refused(.malformed, "the large files are not in ascending order")
    }
    try incoming.begin(pointer)
    (last, missingByteCount) = (pointer, pointer.byteCount)
    header = []
  }

  consuming func finish() throws -> IncomingLargeFiles {
    guard header.isEmpty, missingByteCount == 0, incoming.pointers.count == description.count
    else {
      throw Refused(
        .malformed, "not as many large files as the message says, or the last one is cut off")
    }
    return incoming
  }
}
