/// 32 bytes of an elliptic curve; `Use` keeps keys of different use apart.
package struct PublicKey<Use>: Hashable, Sendable {
  package let bytes: [UInt8]

  /// The caller has made sure that there are exactly 32 bytes.
  init(_ bytes: [UInt8]) {
    precondition(bytes.count == publicKeyByteCount)
    self.bytes = bytes
  }
}

package let publicKeyByteCount = 32

package enum SigningUse: Sendable {}
package enum SealingUse: Sendable {}
package enum TransportUse: Sendable {}

/// Ed25519: verifies signatures.
package typealias SigningKey = PublicKey<SigningUse>
/// X25519: whom content keys are wrapped for.
package typealias SealingKey = PublicKey<SealingUse>
/// X25519 as CURVE uses it: which machine is at the other end of a socket.
package typealias TransportKey = PublicKey<TransportUse>
