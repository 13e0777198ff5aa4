internal import Crypto
package import GitModel

/// The pointer to a content that comes in pieces.
package struct LargeFileHasher {
  private var hash = SHA256()
  private var byteCount: UInt64 = 0

  package init() {}

  package mutating func update(_ piece: Span<UInt8>) {
    byteCount += UInt64(piece.count)
    unsafe piece.withUnsafeBytes { unsafe hash.update(bufferPointer: $0) }
  }

  /// `nil` for a content that no pointer has: an empty one.
  package func finish() -> LargeFilePointer? {
    LargeFilePointer(digest: Array(hash.finalize()), byteCount: byteCount)
  }
}
