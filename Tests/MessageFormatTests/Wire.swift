/// Protobuf written by hand, field by field, so that forms can be made which an encoder never gives.
///
/// Source: protobuf.dev, "Encoding".
enum Field: Sendable {
  case number(Int, UInt64)
  case bytes(Int, [UInt8])
  /// Taken as they are.
  case raw([UInt8])

  var number: Int? {
    switch self {
    case .number(let number, _), .bytes(let number, _): number
    case .raw: nil
    }
  }

  static func text(_ number: Int, _ text: String) -> Field { .bytes(number, Array(text.utf8)) }

  static func fields(_ number: Int, _ fields: [Field]) -> Field { .bytes(number, fields.encoded) }

  fileprivate var encoded: [UInt8] {
    switch self {
    case .number(let number, let value): varint(UInt64(number) << 3) + varint(value)
    case .bytes(let number, let content):
      varint(UInt64(number) << 3 | 2) + varint(UInt64(content.count)) + content
    case .raw(let bytes): bytes
    }
  }
}

extension [Field] {
  var encoded: [UInt8] { flatMap(\.encoded) }

  /// All fields of that number go, and the others come to where the first of them was, or to where the number belongs.
  func with(_ number: Int, _ others: Field...) -> [Field] {
    let index =
      firstIndex { $0.number == number } ?? firstIndex { ($0.number ?? 0) > number } ?? endIndex
    return Array(self[..<index].filter { $0.number != number }) + others
      + Array(self[index...].filter { $0.number != number })
  }
}

/// Seven bits a byte, the lowest first; with a `byteCount` longer than needed, the long way.
func varint(_ value: UInt64, byteCount: Int = 1) -> [UInt8] {
  var bytes: [UInt8] = []
  var rest = value
  while rest > 0x7f || bytes.count + 1 < byteCount {
    bytes.append(UInt8(rest & 0x7f) | 0x80)
    rest >>= 7
  }
  return bytes + [UInt8(rest)]
}

/// 32 equal bytes.
func name(_ byte: UInt8) -> [UInt8] { [UInt8](repeating: byte, count: 32) }

/// 20 equal bytes.
func id(_ byte: UInt8) -> [UInt8] { [UInt8](repeating: byte, count: 20) }
