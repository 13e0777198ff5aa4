/// Reads a payload (RFC 8259) and keeps the values of some keys only, so that memory does not grow with a body: what
/// else there is, commits and files for the most part, is checked and passed over.
///
/// Not JSONDecoder, which keeps an index of the whole body, and JSONSerialization, which makes objects of all of it.
package struct JSONReader {
  private let bytes: [UInt8]
  private let keys: Set<String>
  private var place = 0
  private var valueCount = 0

  /// `keys`: of objects at any level; a value that is kept has only such keys as well.
  package static func read(
    _ bytes: [UInt8], keeping keys: Set<String>
  ) throws(PayloadFlaw) -> JSONValue {
    var reader = JSONReader(bytes: bytes, keys: keys)
    // RFC 8259, section 8.1: a reader may pass over a byte order mark.
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { reader.place = 3 }
    let value = try reader.value(depth: 0, isKept: true)
    reader.skipSpace()
    guard reader.place == bytes.count else { throw .notJSON("there is more behind the payload") }
    return value
  }

  private init(bytes: [UInt8], keys: Set<String>) { (self.bytes, self.keys) = (bytes, keys) }

  private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 {
      place += 1
    }
  }

  private mutating func value(depth: Int, isKept: Bool) throws(PayloadFlaw) -> JSONValue {
    guard depth <= HookLimits.jsonDepthMax else { throw .notJSON("nested too deeply") }
    if isKept {
      valueCount += 1
      guard valueCount <= HookLimits.jsonValueCountMax else { throw .notJSON("too many values") }
    }
    skipSpace()
    switch next {
    case UInt8(ascii: "{"): return try object(depth: depth, isKept: isKept)
    case UInt8(ascii: "["): return try array(depth: depth, isKept: isKept)
    case UInt8(ascii: "\""):
      let text = try string(isKept: isKept)
      return text.map { .string($0) } ?? .other
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return try number()
    }
  }

  private mutating func object(depth: Int, isKept: Bool) throws(PayloadFlaw) -> JSONValue {
    var values: [String: JSONValue] = [:]
    place += 1
    skipSpace()
    if next == UInt8(ascii: "}") {
      place += 1
      return .object(values)
    }
    while true {
      skipSpace()
      guard next == UInt8(ascii: "\"") else { throw .notJSON("a key is missing") }
      let key = try string(isKept: isKept)
      skipSpace()
      try take(UInt8(ascii: ":"))
      if let key, keys.contains(key) {
        values[key] = try value(depth: depth + 1, isKept: true)
      } else {
        _ = try value(depth: depth + 1, isKept: false)
      }
      skipSpace()
      if next == UInt8(ascii: "}") { break }
      try take(UInt8(ascii: ","))
    }
    place += 1
    return .object(values)
  }

  private mutating func array(depth: Int, isKept: Bool) throws(PayloadFlaw) -> JSONValue {
    var values: [JSONValue] = []
    place += 1
    skipSpace()
    if next == UInt8(ascii: "]") {
      place += 1
      return .array(values)
    }
    while true {
      let value = try value(depth: depth + 1, isKept: isKept)
      if isKept { values.append(value) }
      skipSpace()
      if next == UInt8(ascii: "]") { break }
      try take(UInt8(ascii: ","))
    }
    place += 1
    return .array(values)
  }

  private mutating func take(_ byte: UInt8) throws(PayloadFlaw) {
    guard next == byte else {
      throw .notJSON(next == nil ? "the payload is cut off" : "the payload is not JSON")
    }
    place += 1
  }

  private mutating func word(_ word: StaticString, _ value: JSONValue) throws(PayloadFlaw)
    -> JSONValue
  {
    for byte in word.description.utf8 { try take(byte) }
    return value
  }

  private mutating func number() throws(PayloadFlaw) -> JSONValue {
    if next == UInt8(ascii: "-") { place += 1 }
    let first = next
    let count = digits()
    guard count > 0, count == 1 || first != UInt8(ascii: "0") else {
      throw .notJSON(next == nil ? "the payload is cut off" : "the payload is not JSON")
    }
    if next == UInt8(ascii: ".") {
      place += 1
      guard digits() > 0 else { throw .notJSON("a number is not JSON") }
    }
    if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
      place += 1
      if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { place += 1 }
      guard digits() > 0 else { throw .notJSON("a number is not JSON") }
    }
    return .other
  }

  private mutating func digits() -> Int {
    let start = place
    while let byte = next, (0x30...0x39).contains(byte) { place += 1 }
    return place - start
  }

  // MARK: - Strings

  /// `nil`: not kept, or longer than any name.
  private mutating func string(isKept: Bool) throws(PayloadFlaw) -> String? {
    place += 1
    let start = place
    var isPlain = true
    while let byte = next, byte != UInt8(ascii: "\"") {
      guard byte >= 0x20 else { throw .notJSON("a control character in a text") }
      if byte == UInt8(ascii: "\\") {
        isPlain = false
        place += 1
        guard next != nil else { break }
      }
      place += 1
    }
    guard next != nil else { throw .notJSON("the payload is cut off") }
    let content = bytes[start..<place]
    place += 1
    guard isKept, content.count <= HookLimits.textByteCountMax else { return nil }
    let text = isPlain ? Array(content) : try JSONText.unescaped(content)
    guard let string = String(validating: text, as: UTF8.self) else {
      throw .notJSON("a text is not UTF-8")
    }
    return string
  }
}

enum JSONText {
  private static let escapes: [UInt8: UInt8] = [
    UInt8(ascii: "\""): 0x22, UInt8(ascii: "\\"): 0x5c, UInt8(ascii: "/"): 0x2f,
    UInt8(ascii: "b"): 0x08, UInt8(ascii: "f"): 0x0c, UInt8(ascii: "n"): 0x0a,
    UInt8(ascii: "r"): 0x0d, UInt8(ascii: "t"): 0x09,
  ]

  /// RFC 8259, section 7. A surrogate without its other half becomes U+FFFD.
  static func unescaped(_ content: ArraySlice<UInt8>) throws(PayloadFlaw) -> [UInt8] {
    var text: [UInt8] = []
    var rest = content
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "\\") else {
        text.append(byte)
        continue
      }
      guard let letter = rest.popFirst() else { throw .notJSON("an escape is cut off") }
      if letter == UInt8(ascii: "u") {
        let scalar = try scalar(&rest)
        text.append(contentsOf: Array(String(Character(scalar)).utf8))
      } else {
        guard let plain = escapes[letter] else { throw .notJSON("an escape is unknown") }
        text.append(plain)
      }
    }
    return text
  }

  private static func scalar(_ rest: inout ArraySlice<UInt8>) throws(PayloadFlaw) -> Unicode.Scalar
  {
    let replacement: Unicode.Scalar = "\u{fffd}"
    let high = try unit(&rest)
    guard (0xd800..<0xdc00).contains(high) else { return Unicode.Scalar(high) ?? replacement }
    guard rest.starts(with: Array("\\u".utf8)) else { return replacement }
    var behind = rest.dropFirst(2)
    let low = try unit(&behind)
    guard (0xdc00..<0xe000).contains(low) else { return replacement }
    rest = behind
    return Unicode.Scalar((high - 0xd800) << 10 + (low - 0xdc00) + 0x10000) ?? replacement
  }

  private static func unit(_ rest: inout ArraySlice<UInt8>) throws(PayloadFlaw) -> UInt32 {
    let digits = rest.prefix(4)
    guard digits.count == 4, digits.allSatisfy({ HexText.value(of: $0) != nil }) else {
      throw .notJSON("an escape is not four digits")
    }
    rest = rest.dropFirst(4)
    return digits.reduce(0) { $0 << 4 | UInt32(HexText.value(of: $1) ?? 0) }
  }
}

enum HexText {
  static func value(of byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  /// `nil`: not so many bytes in hexadecimal digits.
  static func bytes(_ text: some StringProtocol, count: Int) -> [UInt8]? {
    let digits = text.utf8.compactMap { value(of: $0) }
    guard digits.count == 2 * count, text.utf8.count == digits.count else { return nil }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }
}
