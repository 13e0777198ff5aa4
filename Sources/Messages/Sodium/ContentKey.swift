import CSodium

/// The key of one sealed message: fresh for each, wrapped for each recipient, never stored.
package struct ContentKey: ~Copyable, Sendable {
  static let byteCount = Int(crypto_secretstream_xchacha20poly1305_keybytes())
  /// What `PublicIdentity.seal` makes of it.
  package static let wrappedByteCount = 80
  let secret: SecretBytes

  package init(generating: ()) {
    secret = SecretBytes(random: Self.byteCount)
  }

  init(_ secret: consuming SecretBytes) {
    precondition(secret.byteCount == Self.byteCount)
    self.secret = secret
  }
}
