import MessageFormat

/// Lines of `key value`, in one order and one form: what is read must be what writing it gives.
struct FieldLines {
  private var lines: ArraySlice<Substring>

  /// `nil`: is no text of lines, or does not begin with `title`.
  init?(_ bytes: [UInt8], title: String) {
    guard let text = String(validating: bytes, as: UTF8.self), text.hasSuffix("\n") else {
      return nil
    }
    lines = text.dropLast().split(separator: "\n", omittingEmptySubsequences: false)[...]
    guard lines.popFirst().map(String.init) == title else { return nil }
  }

  var isEmpty: Bool { lines.isEmpty }

  mutating func next() -> Substring? { lines.popFirst() }

  mutating func value(of key: String) -> String? {
    guard let line = lines.popFirst(), line.hasPrefix(key + " ") else { return nil }
    return String(line.dropFirst(key.count + 1))
  }

  mutating func number(of key: String) -> UInt64? { value(of: key).flatMap { UInt64($0) } }

  mutating func name<Thing>(of key: String) -> Name<Thing>? {
    value(of: key).flatMap { Name(hex: $0) }
  }
}

extension Name {
  /// `nil` unless there are 64 lower-case hexadecimal digits.
  init?(hex: String) {
    let digits = Array(hex.utf8)
    guard digits.count == 2 * nameByteCount else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let byte = UInt8(String(decoding: digits[index...index + 1], as: UTF8.self), radix: 16)
      else { return nil }
      bytes.append(byte)
    }
    self.init(bytes)
    guard self.hex == hex else { return nil }
  }
}
