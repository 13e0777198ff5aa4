/// git's pack delta: pieces of a base and new bytes, one after the other.
///
/// Source: gitformat-pack(5), "Deltified representation".
struct Delta {
  private let bytes: [UInt8]
  private var offset = 0

  /// What `delta` makes of `base`; every offset and length in it is checked before it is used.
  static func apply(
    _ delta: [UInt8], to base: [UInt8], byteCountMax: Int
  ) throws(ContentError) -> [UInt8] {
    var delta = Delta(bytes: delta)
    guard try delta.size() == base.count else { throw .flaw(.deltaBase) }
    let byteCount = try delta.size()
    guard byteCount <= byteCountMax else { throw .tooLarge(byteCount) }
    return try delta.content(from: base, byteCount: byteCount)
  }

  private init(bytes: [UInt8]) {
    self.bytes = bytes
  }

  private mutating func content(
    from base: [UInt8], byteCount: Int
  ) throws(ContentError) -> [UInt8] {
    var content: [UInt8] = []
    content.reserveCapacity(byteCount)
    while offset < bytes.count {
      let instruction = try byte()
      let room = byteCount - content.count
      if instruction & 0x80 != 0 {
        let piece = try copyRange(instruction)
        guard piece.upperBound <= base.count, piece.count <= room else { throw .flaw(.delta) }
        content.append(contentsOf: base[piece])
      } else {
        let length = Int(instruction)
        guard length > 0, length <= bytes.count - offset, length <= room else {
          throw .flaw(.delta)
        }
        content.append(contentsOf: bytes[offset..<offset + length])
        offset += length
      }
    }
    guard content.count == byteCount else { throw .flaw(.delta) }
    return content
  }

  /// Seven bits a byte, the lowest first.
  private mutating func size() throws(ContentError) -> Int {
    var value = 0
    for shift in stride(from: 0, to: 56, by: 7) {
      let part = try byte()
      value |= Int(part & 0x7f) << shift
      if part & 0x80 == 0 { return value }
    }
    throw .flaw(.delta)
  }

  /// Four bytes of offset and three of length; the instruction's bits say which are written.
  private mutating func copyRange(_ instruction: UInt8) throws(ContentError) -> Range<Int> {
    var values = (start: 0, length: 0)
    for bit in 0..<4 where instruction >> bit & 1 != 0 {
      values.start |= Int(try byte()) << (8 * bit)
    }
    for bit in 0..<3 where instruction >> (4 + bit) & 1 != 0 {
      values.length |= Int(try byte()) << (8 * bit)
    }
    if values.length == 0 { values.length = 0x10000 }
    return values.start..<values.start + values.length
  }

  private mutating func byte() throws(ContentError) -> UInt8 {
    guard offset < bytes.count else { throw .flaw(.delta) }
    defer { offset += 1 }
    return bytes[offset]
  }
}
