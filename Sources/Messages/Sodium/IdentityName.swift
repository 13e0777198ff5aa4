/// What people call an identity, and its key files: 1 to 64 ASCII letters, digits and `. _ - @`, a
/// letter or digit first. It proves nothing; the fingerprint does.
package struct IdentityName: Hashable, Sendable, CustomStringConvertible {
  package static let byteCountMax = 64
  package let text: String

  package init(_ text: String) throws(SodiumError) {
    let bytes = Array(text.utf8)
    guard (1...Self.byteCountMax).contains(bytes.count), Self.isLetterOrDigit(bytes[0]),
      bytes.allSatisfy({ Self.isLetterOrDigit($0) || "._-@".utf8.contains($0) })
    else { throw .invalidName(text) }
    self.text = text
  }

  package var description: String { text }

  private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: false
    }
  }
}
