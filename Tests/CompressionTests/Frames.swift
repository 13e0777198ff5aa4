import Compression

/// Frames put together by hand from RFC 8878, chapter 3, for what no compressor of ours would
/// write.
enum Frames {
  static let magic: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd]

  /// A window of two to the power of `logarithm`, and neither a content size nor a checksum.
  static func header(windowLogarithm logarithm: UInt8) -> [UInt8] {
    magic + [0x00, (logarithm - 10) << 3]
  }

  static func rawBlock(_ content: [UInt8], isLast: Bool) -> [UInt8] {
    blockHeader(type: 0, size: content.count, isLast: isLast) + content
  }

  /// Four bytes that stand for `count` times the same one.
  static func repeatedBlock(_ byte: UInt8, count: Int, isLast: Bool) -> [UInt8] {
    blockHeader(type: 1, size: count, isLast: isLast) + [byte]
  }

  private static func blockHeader(type: Int, size: Int, isLast: Bool) -> [UInt8] {
    let value = size << 3 | type << 1 | (isLast ? 1 : 0)
    return [
      UInt8(value & 0xff), UInt8(value >> 8 & 0xff), UInt8(value >> 16 & 0xff),
    ]
  }

  /// Content with some structure, the same in every run.
  static func text(byteCount: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(byteCount + 40)
    var line = 0
    while bytes.count < byteCount {
      bytes += Array("line \(line) of \(line % 97) and \(line % 13)\n".utf8)
      line += 1
    }
    return Array(bytes.prefix(byteCount))
  }

  /// Content without any: a xorshift generator.
  static func noise(byteCount: Int, seed: UInt64 = 0x9e37_79b9_7f4a_7c15) -> [UInt8] {
    var state = seed
    return (0..<byteCount).map { _ in
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return UInt8(truncatingIfNeeded: state)
    }
  }
}

extension Span<UInt8> {
  /// A copy.
  var array: [UInt8] { indices.map { self[$0] } }
}
