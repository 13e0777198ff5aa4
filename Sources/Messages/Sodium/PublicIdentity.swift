import CSodium

/// What others need to know of a machine: where its signatures come from, whom to seal for, whom to
/// let in.
///
/// Made only from keys that can belong to someone: on the curve, canonical, not of low order. Equal
/// when keys and name are; whether two are the same machine, their fingerprints tell.
package struct PublicIdentity: Hashable, Sendable {
  package let name: IdentityName
  package let signingKey: SigningKey
  package let sealingKey: SealingKey
  package let transportKey: TransportKey
  package let fingerprint: Fingerprint

  init(
    name: IdentityName, signingKey: SigningKey, sealingKey: SealingKey, transportKey: TransportKey
  ) {
    self.name = name
    self.signingKey = signingKey
    self.sealingKey = sealingKey
    self.transportKey = transportKey
    fingerprint = Fingerprint(signing: signingKey, sealing: sealingKey, transport: transportKey)
  }

  /// Whether this identity made the signature, over exactly these bytes and their type.
  package func verify(_ signature: Signature, over encoding: PreAuthenticationEncoding) -> Bool {
    unsafe signature.bytes.withUnsafeBufferPointer { signature in
      unsafe encoding.bytes.withUnsafeBufferPointer { message in
        unsafe signingKey.withPointer { key in
          guard let signature = signature.baseAddress else { return false }
          return unsafe crypto_sign_verify_detached(
            signature, message.baseAddress, UInt64(message.count), key) == 0
        }
      }
    }
  }

  /// The content key, wrapped so that only this identity can open it: 80 bytes, different every
  /// time.
  ///
  /// Source: libsodium, "Sealed boxes" (`crypto_box_seal`).
  package func seal(_ contentKey: borrowing ContentKey) -> [UInt8] {
    [UInt8](capacity: ContentKey.wrappedByteCount) { output in
      unsafe contentKey.secret.withPointer { secret in
        unsafe output.fill(ContentKey.wrappedByteCount) { wrapped in
          unsafe sealingKey.withPointer { key in
            let result = unsafe crypto_box_seal(
              wrapped, secret, UInt64(ContentKey.byteCount), key)
            precondition(result == 0, "a sealing key of low order got in")
          }
        }
      }
    }
  }
}

extension PublicKey {
  func withPointer<R, E: Error>(_ body: (UnsafePointer<UInt8>) throws(E) -> R) throws(E) -> R {
    try unsafe bytes.withUnsafeBufferPointer { buffer throws(E) in
      guard let base = buffer.baseAddress else { preconditionFailure("a key without bytes") }
      return try unsafe body(base)
    }
  }
}
