/// zstd (RFC 8878) for payloads that fit into memory, and the sizes that both directions of a
/// stream share.
package enum Zstd {
  /// Both streams hand on their output in pieces of at most this size: one block (RFC 8878,
  /// 3.1.1.2.4).
  package static let pieceByteCountMax = 131_072
  /// How far back a frame may refer. With buffers and tables a decompressor stays below 10 MiB.
  package static let windowByteCountMax = 1 << windowByteCountLogarithmMax
  static let windowByteCountLogarithmMax: Int32 = 23

  /// One frame that holds `content`.
  package static func compress(_ content: [UInt8]) throws(CompressionError) -> [UInt8] {
    var compressor = try Compressor()
    var frame: [UInt8] = []
    do {
      try compressor.write(content) { frame.append(contentsOf: $0) }
      try compressor.finish { frame.append(contentsOf: $0) }
    } catch {
      throw error.streamError
    }
    return frame
  }

  /// What exactly one frame holds; more than `outputByteCountMax` bytes of it are an error.
  package static func decompress(
    _ frame: [UInt8], outputByteCountMax: Int
  ) throws(CompressionError) -> [UInt8] {
    var decompressor = try Decompressor(outputByteCountMax: outputByteCountMax)
    var content: [UInt8] = []
    do {
      try decompressor.write(frame) { content.append(contentsOf: $0) }
    } catch {
      throw error.streamError
    }
    try decompressor.finish()
    return content
  }
}

extension [UInt8] {
  fileprivate mutating func append(contentsOf piece: Span<UInt8>) {
    unsafe piece.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
  }
}
