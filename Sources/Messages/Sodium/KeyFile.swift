/// The files of an identity: `NAME.key`, secret and for its owner alone, and `NAME.pub`, for
/// everybody.
package enum KeyFile {
  /// Makes both files in a directory that is there, or neither; never in place of others.
  package static func create(
    _ identity: Identity, inDirectory directory: String, passphrase: Passphrase?,
    cost: PassphraseCost = .moderate
  ) throws(SodiumError) -> (secret: String, public: String) {
    let secretPath = "\(directory)/\(identity.public.name).key"
    let publicPath = "\(directory)/\(identity.public.name).pub"
    try createSecret(identity, at: secretPath, passphrase: passphrase, cost: cost)
    do throws(SodiumError) {
      try createPublic(identity.public, at: publicPath)
    } catch {
      KeyFileWriter.remove(secretPath)
      throw error
    }
    return (secretPath, publicPath)
  }

  /// With mode 0600; encrypted if there is a passphrase.
  package static func createSecret(
    _ identity: Identity, at path: String, passphrase: Passphrase?,
    cost: PassphraseCost = .moderate
  ) throws(SodiumError) {
    let text = try SecretKeyText.print(identity, passphrase: passphrase, cost: cost, for: path)
    try text.withBytes { text throws(SodiumError) in
      try KeyFileWriter.create(path, mode: 0o600, content: text)
    }
  }

  package static func createPublic(
    _ identity: PublicIdentity, at path: String
  ) throws(SodiumError) {
    let text = """
      # distro public key of \(identity.name), fingerprint \(identity.fingerprint.abbreviated)
      \(identity.line)

      """
    try KeyFileWriter.create(path, mode: 0o644, content: Array(text.utf8).span)
  }

  /// Checks all that can be checked without a passphrase.
  package static func readSecret(_ path: String) throws(SodiumError) -> LockedIdentity {
    let file = try KeyFileContent(reading: path, following: .noLinks)
    // Before the mode is looked at: chmod 600 would be the wrong advice for a public file.
    try SecretKeyText.requireSecret(file)
    try file.requirePrivate()
    return try SecretKeyText.parse(file)
  }

  /// One public line; empty lines and those that begin with `#` are passed over.
  package static func readPublic(_ path: String) throws(SodiumError) -> PublicIdentity {
    let file = try KeyFileContent(reading: path, following: .links)
    return try file.bytes.withBytes { content throws(SodiumError) in
      var found: PublicIdentity?
      for range in KeyFileLines(of: content).all {
        let line = content.extracting(range)
        if line.isEmpty || line.starts(with: "#") { continue }
        try requirePublic(line, path)
        guard found == nil else { throw .notKeyFile(path) }
        found = try PublicLine.parse(line.text, of: path)
      }
      guard let found else { throw .truncated(path) }
      return found
    }
  }

  /// Before the line becomes text that is not wiped.
  private static func requirePublic(_ line: Span<UInt8>, _ path: String) throws(SodiumError) {
    if line.starts(with: PublicLine.prefix) { return }
    if line.starts(with: SecretKeyText.prefix) { throw .secretInsteadOfPublic(path) }
    throw line.begins(PublicLine.prefix) ? .truncated(path) : .notKeyFile(path)
  }
}
