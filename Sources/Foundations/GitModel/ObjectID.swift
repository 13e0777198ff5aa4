/// The SHA-1 name of a git object: 20 bytes, written as 40 lower-case hexadecimal digits.
///
/// Source: gitglossary(7), "object name".
package struct ObjectID: Hashable, Sendable, Comparable, CustomStringConvertible {
  package static let byteCount = 20
  /// What git writes where there is no object: a branch that is created has it as its old revision.
  package static let zero = ObjectID(words: (0, 0, 0))

  // Three words instead of an array: ids are made by the thousand, and an array would allocate each time.
  private let high: UInt64
  private let middle: UInt64
  private let low: UInt32

  private init(words: (UInt64, UInt64, UInt32)) {
    (high, middle, low) = words
  }

  /// `nil` unless there are exactly 20 bytes.
  package init?(bytes: some Collection<UInt8>) {
    self.init(byteArray: Array(bytes))
  }

  // Of one type: a generic loop, in another module than its caller, costs a hundred times as much.
  private init?(byteArray bytes: [UInt8]) {
    guard bytes.count == Self.byteCount else { return nil }
    var words: (UInt64, UInt64, UInt32) = (0, 0, 0)
    for offset in 0..<8 { words.0 = words.0 << 8 | UInt64(bytes[offset]) }
    for offset in 8..<16 { words.1 = words.1 << 8 | UInt64(bytes[offset]) }
    for offset in 16..<20 { words.2 = words.2 << 8 | UInt32(bytes[offset]) }
    self.init(words: words)
  }

  /// `nil` unless there are exactly 40 digits `0-9a-f`; upper case is not git's form and is refused.
  package init?(hex: some StringProtocol) {
    self.init(hexBytes: hex.utf8)
  }

  /// The same, from ASCII bytes.
  package init?(hexBytes digits: some Collection<UInt8>) {
    self.init(digitArray: Array(digits))
  }

  private init?(digitArray digits: [UInt8]) {
    guard digits.count == 2 * Self.byteCount else { return nil }
    var words: (UInt64, UInt64, UInt32) = (0, 0, 0)
    for offset in 0..<40 {
      guard let value = Self.value(ofDigit: digits[offset]) else { return nil }
      switch offset {
      case 0..<16: words.0 = words.0 << 4 | UInt64(value)
      case 16..<32: words.1 = words.1 << 4 | UInt64(value)
      default: words.2 = words.2 << 4 | UInt32(value)
      }
    }
    self.init(words: words)
  }

  package var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.byteCount)
    for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: high >> (56 - 8 * shift))) }
    for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: middle >> (56 - 8 * shift))) }
    for shift in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: low >> (24 - 8 * shift))) }
    return bytes
  }

  package var hex: String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    text.reserveCapacity(2 * Self.byteCount)
    for byte in bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// The first twelve digits, as people read them; never for comparing.
  package var abbreviated: String { String(hex.prefix(12)) }

  package var isZero: Bool { self == Self.zero }

  package var description: String { hex }

  package static func < (left: ObjectID, right: ObjectID) -> Bool {
    (left.high, left.middle, left.low) < (right.high, right.middle, right.low)
  }

  private static func value(ofDigit digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    default: nil
    }
  }
}
