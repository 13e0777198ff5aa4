import CSodium

/// What one guess at a passphrase costs (Argon2id); it stands in the key file.
package struct PassphraseCost: Hashable, Sendable, CustomStringConvertible {
  package let operations: UInt64
  package let memoryByteCount: Int

  /// libsodium's "moderate": 256 MiB, about a second.
  package static let moderate = PassphraseCost(
    operations: UInt64(crypto_pwhash_argon2id_opslimit_moderate()),
    memoryByteCount: crypto_pwhash_argon2id_memlimit_moderate())

  // A key file asks for no more than this: half a minute, and what a small server has.
  package static let operationsMax: UInt64 = 16
  package static let memoryByteCountMax = 1 << 30

  package init(operations: UInt64, memoryByteCount: Int) {
    self.operations = operations
    self.memoryByteCount = memoryByteCount
  }

  package var description: String {
    "\(operations) passes over \(memoryByteCount / 1_024) KiB of memory"
  }

  /// Within our limits, and not below what libsodium computes at all.
  var isWithinLimits: Bool {
    (UInt64(crypto_pwhash_argon2id_opslimit_min())...Self.operationsMax).contains(operations)
      && (crypto_pwhash_argon2id_memlimit_min()...Self.memoryByteCountMax)
        .contains(memoryByteCount)
  }
}
