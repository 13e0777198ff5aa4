/// Signatures as hosts write them into headers. A header that is not in its form is no signature.
enum Signature {
  private static let byteCount = 32

  /// `sha256=` and 64 hexadecimal digits: GitHub, Bitbucket.
  static func prefixed(_ header: String?) -> [UInt8]? {
    let prefix = "sha256="
    guard let header, header.hasPrefix(prefix) else { return nil }
    return HexText.bytes(header.dropFirst(prefix.count), count: byteCount)
  }

  /// 64 hexadecimal digits alone: Gitea, Forgejo.
  static func bare(_ header: String?) -> [UInt8]? {
    header.flatMap { HexText.bytes($0, count: byteCount) }
  }

  /// Whether one of the secrets has made it. All are tried, so that the time does not say which.
  static func isMade(
    by secrets: [HookSecret], over bytes: [UInt8], _ signature: [UInt8]?
  ) -> Bool {
    guard let signature else { return false }
    return secrets.reduce(false) { $1.hasSigned(bytes, signature) || $0 }
  }
}
