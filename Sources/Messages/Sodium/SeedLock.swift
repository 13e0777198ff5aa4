import CSodium

/// How a seed is encrypted with a passphrase: a key by Argon2id, then XChaCha20-Poly1305 with the
/// lines above the seed as additional data, so that name and cost are what they were.
///
/// Source: libsodium, "Password hashing" and "XChaCha20-Poly1305 construction".
struct SeedLock {
  private static let word = "argon2id"
  private static let saltByteCount = crypto_pwhash_argon2id_saltbytes()
  private static let keyByteCount = crypto_aead_xchacha20poly1305_ietf_keybytes()
  private static let nonceByteCount = crypto_aead_xchacha20poly1305_ietf_npubbytes()
  private static let cipherByteCount =
    KeyDerivation.seedByteCount + crypto_aead_xchacha20poly1305_ietf_abytes()
  /// Nonce, encrypted seed, tag.
  static let boxByteCount = nonceByteCount + cipherByteCount

  private let name: IdentityName
  private let cost: PassphraseCost
  private let salt: [UInt8]

  /// With a fresh salt.
  init(name: IdentityName, cost: PassphraseCost) {
    precondition(cost.isWithinLimits, "the key file could not be read again")
    self.name = name
    self.cost = cost
    salt = randomBytes(Self.saltByteCount)
  }

  init(name: IdentityName, parsing text: String, _ path: String) throws(SodiumError) {
    let words = text.split(separator: " ", omittingEmptySubsequences: false)
    guard words.count == 4, words[0] == Self.word, let operations = UInt64(words[1]),
      let memoryByteCount = Int(words[2]),
      let salt = Base64.decode(Array(words[3].utf8).span, byteCount: Self.saltByteCount)
    else { throw .damaged(path) }
    self.name = name
    self.salt = salt
    cost = PassphraseCost(operations: operations, memoryByteCount: memoryByteCount)
    // Numbers in their one form, so that the lines above the seed are those that were encrypted
    // with.
    guard self.text == SecretKeyText.head(name, text) else { throw .damaged(path) }
    guard cost.isWithinLimits else { throw .costOverLimit(path, cost) }
  }

  /// The lines above the seed.
  var text: String {
    SecretKeyText.head(
      name, "\(Self.word) \(cost.operations) \(cost.memoryByteCount) \(Base64.encode(salt))")
  }

  func encrypt(
    _ seed: borrowing SecretBytes, with passphrase: Passphrase, for path: String
  ) throws(SodiumError) -> [UInt8] {
    let key = try key(of: passphrase, path)
    let nonce = randomBytes(Self.nonceByteCount)
    let head = Array(text.utf8)
    return nonce
      + [UInt8](capacity: Self.cipherByteCount) { output in
        unsafe output.fill(Self.cipherByteCount) { cipher in
          unsafe seed.withPointer { seed in
            unsafe key.withPointer { key in
              let result = unsafe crypto_aead_xchacha20poly1305_ietf_encrypt(
                cipher, nil, seed, UInt64(KeyDerivation.seedByteCount), head, UInt64(head.count),
                nil, nonce, key)
              precondition(result == 0)
            }
          }
        }
      }
  }

  func decrypt(
    _ box: [UInt8], with passphrase: Passphrase, for path: String
  ) throws(SodiumError) -> SecretBytes {
    let key = try key(of: passphrase, path)
    let nonce = Array(box.prefix(Self.nonceByteCount))
    let cipher = Array(box.dropFirst(Self.nonceByteCount))
    let head = Array(text.utf8)
    return try unsafe SecretBytes(byteCount: KeyDerivation.seedByteCount) {
      seed throws(SodiumError) in
      let result = unsafe key.withPointer { key in
        unsafe crypto_aead_xchacha20poly1305_ietf_decrypt(
          seed, nil, nil, cipher, UInt64(cipher.count), head, UInt64(head.count), nonce, key)
      }
      guard result == 0 else { throw .wrongPassphrase(path) }
    }
  }

  private func key(
    of passphrase: Passphrase, _ path: String
  ) throws(SodiumError) -> SecretBytes {
    let byteCount = passphrase.secret.byteCount
    return try unsafe SecretBytes(byteCount: Self.keyByteCount) { key throws(SodiumError) in
      let result = unsafe passphrase.secret.withPointer { text in
        unsafe text.withMemoryRebound(to: CChar.self, capacity: byteCount) { text in
          unsafe crypto_pwhash_argon2id(
            key, UInt64(Self.keyByteCount), text, UInt64(byteCount), salt, cost.operations,
            cost.memoryByteCount, crypto_pwhash_argon2id_alg_argon2id13())
        }
      }
      // Within the limits, it fails only where there is no memory.
      guard result == 0 else { throw .costNotAffordable(path, cost) }
    }
  }
}

private func randomBytes(_ count: Int) -> [UInt8] {
  Libsodium.requireReady()
  return [UInt8](capacity: count) { output in
    unsafe output.fill(count) { unsafe randombytes_buf($0, count) }
  }
}
