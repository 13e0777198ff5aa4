import Crypto
import Foundation

/// What a hook and its host share. The bytes are wiped with the last reference (`SymmetricKey`), and are in no text.
package struct HookSecret: Sendable {
  enum Kind: Sendable {
    /// The key of a signature over the body; GitLab sends it as it is.
    case plain
    /// GitLab's signing token: `whsec_`, then the key as base64.
    case signing
  }

  private static let signingPrefix = "whsec_"

  let kind: Kind
  private let key: SymmetricKey
  /// For comparing the secret itself: a random key, and the code of the secret under it.
  private let salt = SymmetricKey(size: .bits256)
  private let code: HMAC<SHA256>.MAC
  package let byteCount: Int

  /// The content of a secret's file, without the line's end; `nil`: empty, too long, or a signing token that is not base64.
  package init?(_ content: [UInt8], for host: HookHost) {
    let text = Self.trimmed(content)
    guard (1...HookLimits.secretByteCountMax).contains(text.count) else { return nil }
    code = HMAC<SHA256>.authenticationCode(for: text, using: salt)
    guard host == .gitlab, text.starts(with: Self.signingPrefix.utf8) else {
      (kind, key, byteCount) = (.plain, SymmetricKey(data: text), text.count)
      return
    }
    let encoded = String(decoding: text.dropFirst(Self.signingPrefix.utf8.count), as: UTF8.self)
    guard let bytes = Base64Text.bytes(encoded), !bytes.isEmpty else { return nil }
    (kind, key, byteCount) = (.signing, SymmetricKey(data: bytes), bytes.count)
  }

  private static func trimmed(_ content: [UInt8]) -> [UInt8] {
    let spaces: Set<UInt8> = [0x20, 0x09, 0x0a, 0x0d]
    let start = content.drop { spaces.contains($0) }
    guard let end = start.lastIndex(where: { !spaces.contains($0) }) else { return [] }
    return Array(start[...end])
  }

  /// Compared in constant time.
  func hasSigned(_ bytes: [UInt8], _ signature: [UInt8]) -> Bool {
    HMAC<SHA256>.isValidAuthenticationCode(signature, authenticating: bytes, using: key)
  }

  /// Whether `text` is the secret itself. Codes are compared, so that the time says neither length nor content.
  func isEqual(to text: String) -> Bool {
    HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: Array(text.utf8), using: salt)
  }
}

enum Base64Text {
  /// Both alphabets of RFC 4648, with padding or without.
  static func bytes(_ text: some StringProtocol) -> [UInt8]? {
    var plain = String(text.map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 })
    while plain.hasSuffix("=") { plain.removeLast() }
    guard plain.count % 4 != 1 else { return nil }
    plain += String(repeating: "=", count: (4 - plain.count % 4) % 4)
    return Data(base64Encoded: plain).map { Array($0) }
  }
}
