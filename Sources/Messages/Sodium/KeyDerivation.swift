import CSodium

/// From the seed to the keys; other programs that read our key files must do the same.
enum KeyDerivation {
  static let seedByteCount = 32
  private static let context = Array("distro-1".utf8).map { CChar(bitPattern: $0) }
  private static let signingSecretByteCount = 64

  enum Subkey: UInt64 {
    case signing = 1
    case sealing = 2
    case transport = 3
  }

  /// BLAKE2b with the seed as key, the number as salt, the context as personalisation. Source:
  /// libsodium, "Key derivation".
  static func subkey(_ subkey: Subkey, of seed: borrowing SecretBytes) -> SecretBytes {
    unsafe seed.withPointer { seed in
      unsafe SecretBytes(byteCount: seedByteCount) { bytes in
        let result = unsafe crypto_kdf_derive_from_key(
          bytes, seedByteCount, subkey.rawValue, context, seed)
        precondition(result == 0)
      }
    }
  }

  /// libsodium's form of an Ed25519 secret key: the seed of RFC 8032, then the public key.
  static func signingSecret(from seed: borrowing SecretBytes) -> SecretBytes {
    unsafe seed.withPointer { seed in
      unsafe SecretBytes(byteCount: signingSecretByteCount) { secret in
        var key = [UInt8](repeating: 0, count: publicKeyByteCount)
        let result = unsafe crypto_sign_seed_keypair(&key, secret, seed)
        precondition(result == 0)
      }
    }
  }

  static func signingKey(of secret: borrowing SecretBytes) -> SigningKey {
    secret.withBytes { secret in
      SigningKey((seedByteCount..<signingSecretByteCount).map { secret[$0] })
    }
  }

  /// Source: RFC 7748, section 6.1.
  static func agreementKey<Use>(of secret: borrowing SecretBytes) -> PublicKey<Use> {
    var key = [UInt8](repeating: 0, count: publicKeyByteCount)
    let result = unsafe secret.withPointer { unsafe crypto_scalarmult_base(&key, $0) }
    precondition(result == 0)
    return PublicKey(key)
  }
}
