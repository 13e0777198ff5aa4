/// What git stores for a file of Git LFS, whose content is kept elsewhere: the content's SHA-256 and size.
///
/// Only the one spelling that git-lfs itself writes is a pointer, so that the content alone says which blob git has for it.
/// Everything else (extensions, other versions, other line ends) is an ordinary file.
///
/// Source: git-lfs, docs/spec.md, "The Pointer".
package struct LargeFilePointer: Hashable, Sendable {
  /// No pointer is longer.
  package static let textByteCountMax = 200
  package static let digestByteCount = 32
  /// 2^46: sums of numbers up to here cannot overflow.
  package static let byteCountMax: UInt64 = 1 << 46

  private static let version = Array("version https://git-lfs.github.com/spec/v1\noid sha256:".utf8)
  private static let size = Array("\nsize ".utf8)
  private static let digits = Array("0123456789abcdef".utf8)

  /// SHA-256 of the content.
  package let digest: [UInt8]
  /// Of the content; git-lfs has no pointer to an empty file.
  package let byteCount: UInt64

  /// `nil`: not 32 bytes, or a size that no pointer has.
  package init?(digest: [UInt8], byteCount: UInt64) {
    guard digest.count == Self.digestByteCount, (1...Self.byteCountMax).contains(byteCount) else {
      return nil
    }
    self.digest = digest
    self.byteCount = byteCount
  }

  /// `nil`: anything but a pointer in its one spelling.
  package init?(_ text: [UInt8]) {
    guard text.count <= Self.textByteCountMax, text.starts(with: Self.version) else { return nil }
    let hex = text.dropFirst(Self.version.count).prefix(2 * Self.digestByteCount)
    guard let digest = Self.bytes(ofHex: hex) else { return nil }
    let rest = text[hex.endIndex...]
    guard rest.starts(with: Self.size), rest.last == UInt8(ascii: "\n") else { return nil }
    let number = rest.dropFirst(Self.size.count).dropLast()
    guard let byteCount = UInt64(String(decoding: number, as: UTF8.self)) else { return nil }
    self.init(digest: digest, byteCount: byteCount)
    // A sign, leading zeros.
    guard self.text == text else { return nil }
  }

  package var text: [UInt8] {
    Self.version + Array(name.utf8) + Self.size + Array("\(byteCount)\n".utf8)
  }

  /// 64 hexadecimal digits: how git-lfs calls the object.
  package var name: String {
    String(
      decoding: digest.flatMap { [Self.digits[Int($0 >> 4)], Self.digits[Int($0 & 15)]] },
      as: UTF8.self)
  }

  /// For people.
  package var abbreviated: String { String(name.prefix(12)) }

  private static func bytes(ofHex text: ArraySlice<UInt8>) -> [UInt8]? {
    guard text.count == 2 * digestByteCount else { return nil }
    var bytes: [UInt8] = []
    var high: UInt8?
    for digit in text {
      guard let value = digits.firstIndex(of: digit).map({ UInt8($0) }) else { return nil }
      if let first = high {
        bytes.append(first << 4 | value)
        high = nil
      } else {
        high = value
      }
    }
    return bytes
  }
}
