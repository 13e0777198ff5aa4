/// What an identity is: the BLAKE2b-256 digest of its three public keys, so that none can be
/// exchanged for another.
///
/// Input: the ASCII text `distro-fingerprint-1` and a line feed, then signing, sealing and
/// transport key, 32 bytes each.
package struct Fingerprint: Hashable, Sendable, CustomStringConvertible {
  package let bytes: [UInt8]

  /// `nil` unless there are exactly 32 bytes.
  package init?(bytes: [UInt8]) {
    guard bytes.count == Digest.byteCount else { return nil }
    self.bytes = bytes
  }

  init(signing: SigningKey, sealing: SealingKey, transport: TransportKey) {
    let domain = Array("distro-fingerprint-1\n".utf8)
    bytes = Digest(of: domain + signing.bytes + sealing.bytes + transport.bytes).bytes
  }

  /// 64 lower-case hexadecimal digits.
  package var hex: String { hexadecimal(bytes) }

  /// The first twelve digits, as people read them; never for comparing.
  package var abbreviated: String { String(hex.prefix(12)) }

  package var description: String { hex }
}
