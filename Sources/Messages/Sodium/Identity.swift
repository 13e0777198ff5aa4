import CSodium

/// A machine's secret keys, all of them derived from one seed of 32 bytes.
///
/// `crypto_kdf` with the context `distro-1` gives 32 bytes for each subkey number: 1 is the seed of
/// the Ed25519 signing key, 2 the X25519 sealing key, 3 the X25519 transport key (CURVE). Source:
/// docs/message-format.md, "Identities".
package final class Identity: Sendable {
  package let `public`: PublicIdentity
  let seed: SecretBytes
  private let signingSecret: SecretBytes
  private let sealingSecret: SecretBytes
  private let transportSecret: SecretBytes

  /// A new identity, from random bytes.
  package convenience init(generating name: IdentityName) {
    self.init(name: name, seed: SecretBytes(random: KeyDerivation.seedByteCount))
  }

  /// The identity of this seed, always the same.
  package init(name: IdentityName, seed: consuming SecretBytes) {
    precondition(seed.byteCount == KeyDerivation.seedByteCount)
    signingSecret = KeyDerivation.signingSecret(from: KeyDerivation.subkey(.signing, of: seed))
    sealingSecret = KeyDerivation.subkey(.sealing, of: seed)
    transportSecret = KeyDerivation.subkey(.transport, of: seed)
    `public` = PublicIdentity(
      name: name, signingKey: KeyDerivation.signingKey(of: signingSecret),
      sealingKey: KeyDerivation.agreementKey(of: sealingSecret),
      transportKey: KeyDerivation.agreementKey(of: transportSecret))
    self.seed = seed
  }

  /// Verifies its own signature before handing it out: a bit that flipped on the way would give the
  /// key away.
  package func sign(_ encoding: PreAuthenticationEncoding) throws(SodiumError) -> Signature {
    let bytes = [UInt8](capacity: Signature.byteCount) { output in
      unsafe output.fill(Signature.byteCount) { signature in
        unsafe signingSecret.withPointer { secret in
          let result = unsafe crypto_sign_detached(
            signature, nil, encoding.bytes, UInt64(encoding.bytes.count), secret)
          precondition(result == 0)
        }
      }
    }
    guard let signature = Signature(bytes: bytes), `public`.verify(signature, over: encoding)
    else { throw .signingFault }
    return signature
  }

  /// The inverse of `PublicIdentity.seal`; throws `notSealedToUs`.
  package func openSealed(wrapped: [UInt8]) throws(SodiumError) -> ContentKey {
    guard wrapped.count == ContentKey.wrappedByteCount else { throw .notSealedToUs }
    let secret = try unsafe SecretBytes(byteCount: ContentKey.byteCount) {
      content throws(SodiumError) in
      let result = unsafe sealingSecret.withPointer { secret in
        unsafe `public`.sealingKey.withPointer { key in
          unsafe crypto_box_seal_open(content, wrapped, UInt64(wrapped.count), key, secret)
        }
      }
      guard result == 0 else { throw .notSealedToUs }
    }
    return ContentKey(secret)
  }

  /// Lends the secret half of the transport key, 32 bytes, to what sets up a socket.
  package func withTransportSecret<R, E: Error>(
    _ body: (Span<UInt8>) throws(E) -> R
  ) throws(E) -> R {
    try transportSecret.withBytes(body)
  }
}
