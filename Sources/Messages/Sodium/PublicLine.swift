import CSodium

/// A public identity as one line of text: `distro-public-1 KEYS NAME`.
///
/// KEYS is the base64url of signing, sealing and transport key and of a checksum, the first six
/// bytes of the fingerprint: 136 characters for 102 bytes.
enum PublicLine {
  static let prefix = "distro-public-"
  private static let version = prefix + "1"
  private static let keyCount = 3
  private static let checksumByteCount = 6
  private static let byteCount = keyCount * publicKeyByteCount + checksumByteCount

  static func print(_ identity: PublicIdentity) -> String {
    let keys =
      identity.signingKey.bytes + identity.sealingKey.bytes + identity.transportKey.bytes
      + identity.fingerprint.bytes.prefix(checksumByteCount)
    return "\(version) \(Base64.encode(keys)) \(identity.name)"
  }

  static func parse(_ line: String, of subject: String) throws(SodiumError) -> PublicIdentity {
    let fields = line.split(separator: " ", omittingEmptySubsequences: false)
    guard let first = fields.first, first.hasPrefix(prefix) else {
      if line.hasPrefix(SecretKeyText.prefix) { throw .secretInsteadOfPublic(subject) }
      throw .notKeyFile(subject)
    }
    guard fields.count > 1 else { throw .truncated(subject) }
    guard first == version else { throw .unknownVersion(subject, version: String(first)) }
    let text = Array(fields[1].utf8)
    let isShort = text.count < Base64.characterCount(ofByteCount: byteCount)
    guard !isShort, fields.count > 2 else { throw .truncated(subject) }
    guard fields.count == 3, let bytes = Base64.decode(text.span, byteCount: byteCount) else {
      throw .damaged(subject)
    }
    return try identity(of: bytes, name: IdentityName(String(fields[2])), subject)
  }

  private static func identity(
    of bytes: [UInt8], name: IdentityName, _ subject: String
  ) throws(SodiumError) -> PublicIdentity {
    func key<Use>(_ index: Int) -> PublicKey<Use> {
      PublicKey(Array(bytes[index * publicKeyByteCount..<(index + 1) * publicKeyByteCount]))
    }
    let identity = PublicIdentity(
      name: name, signingKey: key(0), sealingKey: key(1), transportKey: key(2))
    let checksum = bytes.suffix(checksumByteCount)
    guard checksum.elementsEqual(identity.fingerprint.bytes.prefix(checksumByteCount)) else {
      throw .damaged(subject)
    }
    guard identity.signingKey.isUsable, identity.sealingKey.isUsable,
      identity.transportKey.isUsable
    else { throw .unusableKey(subject) }
    return identity
  }
}

extension PublicIdentity {
  /// The form in which identities are exchanged; docs/message-format.md, "Identities".
  package var line: String { PublicLine.print(self) }

  /// Reads exactly what `line` gives, without a line feed.
  package init(line: String) throws(SodiumError) {
    self = try PublicLine.parse(line, of: "public line")
  }
}

extension PublicKey<SigningUse> {
  /// Canonical, on the curve, in its main subgroup. Source: libsodium,
  /// `crypto_core_ed25519_is_valid_point`.
  fileprivate var isUsable: Bool {
    unsafe withPointer { unsafe crypto_core_ed25519_is_valid_point($0) == 1 }
  }
}

extension PublicKey<SealingUse> {
  fileprivate var isUsable: Bool { isUsableForAgreement(bytes) }
}

extension PublicKey<TransportUse> {
  fileprivate var isUsable: Bool { isUsableForAgreement(bytes) }
}

/// Canonical (below 2^255 - 19; sealed boxes hash the key as it is written) and not of low order
/// (everybody would know the secret agreed upon). Source: RFC 7748, sections 5 and 6.1.
private func isUsableForAgreement(_ key: [UInt8]) -> Bool {
  let isOverPrime =
    key[31] > 0x7f || (key[31] == 0x7f && key[1...30].allSatisfy { $0 == 0xff } && key[0] >= 0xed)
  if isOverPrime { return false }
  let anySecret = [UInt8](repeating: 1, count: publicKeyByteCount)
  var shared = [UInt8](repeating: 0, count: publicKeyByteCount)
  return unsafe crypto_scalarmult(&shared, anySecret, key) == 0
}
