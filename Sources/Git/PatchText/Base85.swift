/// The lines of a binary piece: a letter for the count of bytes, then five digits for every four
/// bytes.
///
/// Source: git's base85.c and diff.c (`emit_binary_diff_body`). Canonical: every line but the last
/// is full, and the bytes that fill up the last group are zero.
enum Base85 {
  static let lineByteCount = 52

  private static let digits = Array(
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~".utf8)

  private static let noDigit: UInt8 = 0xff

  private static let values: [UInt8] = {
    var values = [UInt8](repeating: noDigit, count: 256)
    for (value, digit) in digits.enumerated() { values[Int(digit)] = UInt8(value) }
    return values
  }()

  static func print(_ bytes: [UInt8], to text: inout [UInt8]) {
    text.reserveCapacity(text.count + bytes.count / lineByteCount * 67 + 67)
    let digits = Self.digits
    for start in stride(from: 0, to: bytes.count, by: lineByteCount) {
      let end = min(start + lineByteCount, bytes.count)
      text.append(letter(ofCount: end - start))
      for group in stride(from: start, to: end, by: 4) {
        var value: UInt32 = 0
        for index in group..<group + 4 {
          value = value << 8 | (index < end ? UInt32(bytes[index]) : 0)
        }
        var divisor: UInt32 = 85 * 85 * 85 * 85
        for _ in 0..<5 {
          text.append(digits[Int(value / divisor % 85)])
          divisor /= 85
        }
      }
      text.append(UInt8(ascii: "\n"))
    }
  }

  /// Reads lines up to an empty one, which is left where it is. At least one line is there.
  static func parse(from reader: inout ByteReader) throws(PatchTextError) -> [UInt8] {
    var bytes: [UInt8] = []
    let values = Self.values
    var isFull = true
    repeat {
      guard isFull, let count = count(ofLetter: try reader.takeByte()) else {
        throw .notCanonical(.pieceLine, offset: reader.offset)
      }
      isFull = count == lineByteCount
      let start = reader.offset
      let digits = try reader.take((count + 3) / 4 * 5)
      guard append(digits, count: count, values: values, to: &bytes) else {
        throw .notCanonical(.base85, offset: start)
      }
      try reader.expect("\n", or: .pieceLine)
    } while reader.next != UInt8(ascii: "\n")
    return bytes
  }

  /// `false` unless the digits stand for `count` bytes and nothing else.
  private static func append(
    _ digits: ArraySlice<UInt8>, count: Int, values: [UInt8], to bytes: inout [UInt8]
  ) -> Bool {
    var left = count
    var index = digits.startIndex
    while left > 0 {
      var group: UInt64 = 0
      for digit in index..<index + 5 {
        let value = values[Int(digits[digit])]
        guard value != noDigit else { return false }
        group = group * 85 + UInt64(value)
      }
      guard group <= UInt64(UInt32.max) else { return false }
      let taken = min(left, 4)
      for position in 0..<taken {
        bytes.append(UInt8(truncatingIfNeeded: group >> (24 - 8 * position)))
      }
      let filling = group & (UInt64(UInt32.max) >> (8 * UInt64(taken)))
      guard taken == 4 || filling == 0 else { return false }
      left -= taken
      index += 5
    }
    return true
  }

  /// `A` to `Z` for 1 to 26, `a` to `z` for 27 to 52.
  private static func letter(ofCount count: Int) -> UInt8 {
    count <= 26 ? UInt8(ascii: "A") + UInt8(count - 1) : UInt8(ascii: "a") + UInt8(count - 27)
  }

  private static func count(ofLetter letter: UInt8) -> Int? {
    switch letter {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): Int(letter - UInt8(ascii: "A")) + 1
    case UInt8(ascii: "a")...UInt8(ascii: "z"): Int(letter - UInt8(ascii: "a")) + 27
    default: nil
    }
  }
}
