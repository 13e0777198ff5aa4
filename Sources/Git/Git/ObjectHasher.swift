package import GitModel

/// The name of an object whose content comes in pieces, so that a large file is never in memory as
/// a whole.
///
/// Its size must be known beforehand, since git hashes it first.
package struct ObjectHasher {
  private var hash = SHA1()
  private var missingByteCount: Int

  package init(_ kind: ObjectKind, byteCount: Int) {
    missingByteCount = byteCount
    hash.update(Array("\(kind.rawValue) \(byteCount)\0".utf8))
  }

  package mutating func update(_ piece: [UInt8]) { update(piece.span) }

  package mutating func update(_ piece: Span<UInt8>) {
    missingByteCount -= piece.count
    hash.update(piece)
  }

  /// `nil` when the pieces were not as many bytes as announced: the file changed while it was read.
  package consuming func finish() -> ObjectID? {
    guard missingByteCount == 0 else { return nil }
    return ObjectID(bytes: hash.finish())
  }
}
