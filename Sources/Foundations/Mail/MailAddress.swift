/// An address as a mail's envelope and header take it: `local@domain`, in ASCII, with nothing around it (RFC 5321, 4.1.2,
/// without quoted local parts and comments).
package struct MailAddress: Hashable, Sendable, CustomStringConvertible {
  private static let byteCountMax = 254
  private static let localByteCountMax = 64
  private static let special: Set<UInt8> = Set("!#$%&'*+-/=?^_`{|}~.".utf8)

  package let text: String
  package var description: String { text }

  package init(_ text: String) throws(MailError) {
    let parts = text.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
    guard text.utf8.count <= Self.byteCountMax, parts.count == 2,
      (1...Self.localByteCountMax).contains(parts[0].count), !parts[1].isEmpty,
      parts[0].first != UInt8(ascii: "-"),
      parts[0].allSatisfy({ Self.isWord($0) || Self.special.contains($0) }),
      parts[1].allSatisfy({ Self.isWord($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") })
    else { throw .addressInvalid(String(text.unicodeScalars.prefix(100))) }
    self.text = text
  }

  var domain: String { String(text.drop { $0 != "@" }.dropFirst()) }

  private static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: false
    }
  }
}
