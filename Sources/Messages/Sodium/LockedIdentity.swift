/// A secret key file that was read and found whole, and is still to be unlocked.
package struct LockedIdentity: ~Copyable, Sendable {
  enum Content: ~Copyable, Sendable {
    case plain(SecretBytes)
    case encrypted(SeedLock, [UInt8])
  }

  package let path: String
  package let name: IdentityName
  private let content: Content

  init(path: String, name: IdentityName, content: consuming Content) {
    self.path = path
    self.name = name
    self.content = content
  }

  package var needsPassphrase: Bool {
    switch content {
    case .plain: false
    case .encrypted: true
    }
  }

  /// Takes about a second where there is a passphrase. Throws `passphraseNeeded` and
  /// `wrongPassphrase`, after which it can be tried again; a passphrase that is not needed is not
  /// looked at.
  package func unlock(
    passphrase: Passphrase? = nil
  ) throws(SodiumError) -> Identity {
    switch content {
    case .plain(let seed):
      return Identity(name: name, seed: seed.withBytes { SecretBytes(copying: $0) })
    case .encrypted(let lock, let box):
      guard let passphrase else { throw .passphraseNeeded(path) }
      return Identity(name: name, seed: try lock.decrypt(box, with: passphrase, for: path))
    }
  }
}
