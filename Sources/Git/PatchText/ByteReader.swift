/// A position in the bytes of a patch. Nothing is skipped: every byte is expected, or an error.
struct ByteReader {
  let bytes: [UInt8]
  private(set) var offset = 0

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  var isAtEnd: Bool { offset == bytes.count }
  var next: UInt8? { isAtEnd ? nil : bytes[offset] }

  /// The error for what stands here; at the end of the bytes that is always `truncated`.
  func flaw(_ flaw: PatchFlaw) -> PatchTextError {
    .notCanonical(isAtEnd ? .truncated : flaw, offset: offset)
  }

  func has(_ literal: String) -> Bool {
    bytes[offset...].starts(with: literal.utf8)
  }

  /// Goes behind `literal` if it stands here.
  mutating func skip(_ literal: String) -> Bool {
    guard has(literal) else { return false }
    offset += literal.utf8.count
    return true
  }

  mutating func expect(_ literal: String, or flaw: PatchFlaw) throws(PatchTextError) {
    guard !skip(literal) else { return }
    let rest = bytes[offset...]
    let isCut = rest.count < literal.utf8.count && literal.utf8.starts(with: rest)
    throw .notCanonical(isCut ? .truncated : flaw, offset: offset)
  }

  /// Goes behind a repetition of the bytes at `range`.
  mutating func expectCopy(of range: Range<Int>, or flaw: PatchFlaw) throws(PatchTextError) {
    let end = min(offset + range.count, bytes.count)
    guard bytes[offset..<end].isSame(as: bytes[range]) else { throw self.flaw(flaw) }
    offset = end
  }

  mutating func take(_ count: Int) throws(PatchTextError) -> ArraySlice<UInt8> {
    guard bytes.count - offset >= count else { throw .notCanonical(.truncated, offset: offset) }
    defer { offset += count }
    return bytes[offset..<offset + count]
  }

  mutating func takeByte() throws(PatchTextError) -> UInt8 {
    guard let byte = next else { throw .notCanonical(.truncated, offset: offset) }
    offset += 1
    return byte
  }

  /// Goes behind the next newline and returns where it stands.
  mutating func finishLine() throws(PatchTextError) -> Int {
    guard let newline = bytes[offset...].position(of: UInt8(ascii: "\n")) else {
      throw .notCanonical(.truncated, offset: bytes.count)
    }
    offset = newline + 1
    return newline
  }

  /// A decimal number without sign and leading zero, of at most 15 digits: sums of two never
  /// overflow.
  mutating func number(or flaw: PatchFlaw) throws(PatchTextError) -> Int {
    let start = offset
    var value = 0
    while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
      guard offset - start < 15 else { throw self.flaw(flaw) }
      value = value * 10 + Int(byte - UInt8(ascii: "0"))
      offset += 1
    }
    let isCanonical = offset - start == 1 || (offset > start && bytes[start] != UInt8(ascii: "0"))
    guard isCanonical else { throw self.flaw(flaw) }
    return value
  }
}
