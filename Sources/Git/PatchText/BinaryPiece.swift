/// One direction of a binary change: the content itself or a delta that makes it, deflated by zlib.
package struct BinaryPiece: Equatable, Sendable {
  package enum Kind: String, Sendable {
    case literal
    /// git's pack delta, gitformat-pack(5), "Deltified representation".
    case delta
  }

  package let kind: Kind
  /// Of the content or of the delta, before it was deflated.
  package let inflatedByteCount: Int
  /// One complete zlib stream; what is in it shows only when the piece is applied.
  package let deflated: [UInt8]

  package init(kind: Kind, inflatedByteCount: Int, deflated: [UInt8]) {
    self.kind = kind
    self.inflatedByteCount = inflatedByteCount
    self.deflated = deflated
  }

  package static func literal(of content: [UInt8]) -> BinaryPiece {
    BinaryPiece(
      kind: .literal, inflatedByteCount: content.count, deflated: Zlib.deflated(content))
  }

  /// No data, not even that of an empty file; or a size that no data has.
  var isEmpty: Bool { deflated.isEmpty || inflatedByteCount < 0 }

  var isEmptyFile: Bool { kind == .literal && inflatedByteCount == 0 }

  /// What the piece makes of `base`, of `byteCountMax` bytes at most.
  func content(from base: [UInt8], byteCountMax: Int) throws(ContentError) -> [UInt8] {
    // git writes a delta only where it is smaller than the deflated content, which zlib's
    // compressBound() limits.
    let overhead = kind == .delta ? byteCountMax / 1_000 + 64 : 0
    guard inflatedByteCount - overhead <= byteCountMax else { throw .tooLarge(inflatedByteCount) }
    let inflated = try Zlib.inflated(deflated, byteCount: inflatedByteCount)
    switch kind {
    case .literal: return inflated
    case .delta: return try Delta.apply(inflated, to: base, byteCountMax: byteCountMax)
    }
  }
}
