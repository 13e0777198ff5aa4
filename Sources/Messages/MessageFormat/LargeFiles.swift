package import GitModel

/// The large files of a payload (docs/message-format.md, "Large files"): each a header, then its content.
package struct LargeFilesDescription: Hashable, Sendable {
  package let count: Int
  /// Of all headers and contents, in bytes.
  package let size: UInt64

  /// - Precondition: what `count` files can have.
  package init(count: Int, size: UInt64) {
    precondition(Self.isPossible(count, size), "a header and a content for each file")
    self.count = count
    self.size = size
  }

  init(_ wire: WireLargeFiles) throws(FormatError) {
    try requireLimit(
      UInt64(wire.count), UInt64(Limits.largeFileCountMax),
      field: "message.payload.large_files.count")
    guard Self.isPossible(Int(wire.count), wire.size) else {
      throw .invalid(field: "message.payload.large_files.size")
    }
    (count, size) = (Int(wire.count), wire.size)
  }

  var wire: WireLargeFiles {
    var wire = WireLargeFiles()
    wire.count = UInt32(count)
    wire.size = size
    return wire
  }

  private static func isPossible(_ count: Int, _ size: UInt64) -> Bool {
    // No file of them is empty.
    count == 0 ? size == 0 : size / UInt64(count) > UInt64(LargeFileHeader.byteCount)
  }
}

/// What stands before each content: SHA-256, then the size as 8 bytes, the highest first.
package enum LargeFileHeader {
  package static let byteCount = LargeFilePointer.digestByteCount + 8

  package static func encode(_ pointer: LargeFilePointer) -> [UInt8] {
    pointer.digest + (0..<8).map { UInt8(truncatingIfNeeded: pointer.byteCount >> (56 - 8 * $0)) }
  }

  /// `nil`: a size that no large file has.
  package static func decode(_ bytes: [UInt8]) -> LargeFilePointer? {
    precondition(bytes.count == byteCount, "a whole header")
    let byteCount = bytes[LargeFilePointer.digestByteCount...].reduce(UInt64(0)) {
      $0 << 8 | UInt64($1)
    }
    return LargeFilePointer(
      digest: Array(bytes[..<LargeFilePointer.digestByteCount]), byteCount: byteCount)
  }
}
