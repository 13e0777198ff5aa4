/// The text of a secret key file: five lines, each with its line feed.
/// ```
/// # distro secret key of NAME: …
/// distro-secret-1 NAME
/// plain                                        or: argon2id OPERATIONS MEMORY_BYTES SALT
/// SEED                                         or: NONCE and encrypted SEED
/// checksum BLAKE2b-256 of the lines above
/// ```
/// Bytes are written as base64url without padding.
enum SecretKeyText {
  static let prefix = "distro-secret-"
  private static let version = prefix + "1"
  private static let magic = "# distro secret key"
  private static let plain = "plain"
  private static let lineCount = 5
  private static let checksumWord = "checksum "
  private static let byteCountMax = 1_024

  static func print(
    _ identity: Identity, passphrase: Passphrase?, cost: PassphraseCost, for path: String
  ) throws(SodiumError) -> SecretBytes {
    let name = identity.public.name
    let comment =
      "\(magic) of \(name): whoever has this file can act as \(name), so keep it to yourself\n"
    return try SecretBytes(capacity: byteCountMax) { output throws(SodiumError) in
      output.append(comment)
      if let passphrase {
        let lock = SeedLock(name: name, cost: cost)
        let box = try lock.encrypt(identity.seed, with: passphrase, for: path)
        output.append(lock.text + Base64.encode(box))
      } else {
        output.append(head(name, plain))
        Base64.encode(identity.seed, into: &output)
      }
      output.append("\n")
      let checksum = Digest(of: output.span).bytes
      output.append("\(checksumWord)\(Base64.encode(checksum))\n")
    }
  }

  /// The two lines above the seed.
  static func head(_ name: IdentityName, _ lock: String) -> String {
    "\(version) \(name)\n\(lock)\n"
  }

  static func requireSecret(_ file: borrowing KeyFileContent) throws(SodiumError) {
    let isPublic = file.bytes.withBytes { content in
      KeyFileLines(of: content).all.contains {
        content.extracting($0).starts(with: PublicLine.prefix)
      }
    }
    if isPublic { throw .publicInsteadOfSecret(file.path) }
  }

  static func parse(_ file: borrowing KeyFileContent) throws(SodiumError) -> LockedIdentity {
    let path = file.path
    return try file.bytes.withBytes { content throws(SodiumError) in
      let lines = try wholeLines(of: content, path)
      try requireChecksum(of: content, lines[4], path)
      let text = content.extracting(lines[1]).text
      guard text.hasPrefix(version + " ") else { throw .damaged(path) }
      let name = try IdentityName(String(text.dropFirst(version.count + 1)))
      let body = content.extracting(lines[3])
      let lockText = content.extracting(lines[2]).text
      if lockText == plain {
        guard let seed = Base64.decodeSecret(body, byteCount: KeyDerivation.seedByteCount) else {
          throw .damaged(path)
        }
        return LockedIdentity(path: path, name: name, content: .plain(seed))
      }
      let lock = try SeedLock(name: name, parsing: lockText, path)
      guard let box = Base64.decode(body, byteCount: SeedLock.boxByteCount) else {
        throw .damaged(path)
      }
      return LockedIdentity(path: path, name: name, content: .encrypted(lock, box))
    }
  }

  /// A file that was cut off anywhere has too few line feeds.
  private static func wholeLines(
    of content: Span<UInt8>, _ path: String
  ) throws(SodiumError) -> [Range<Int>] {
    let lines = KeyFileLines(of: content)
    let versionLine = lines.whole.first { content.extracting($0).starts(with: prefix) }
    if let versionLine {
      let words = content.extracting(versionLine).text.split(separator: " ")
      if let found = words.first, found != version {
        throw .unknownVersion(path, version: String(found))
      }
    } else if !content.starts(with: magic) {
      throw content.begins(magic) ? .truncated(path) : .notKeyFile(path)
    }
    guard lines.whole.count >= lineCount else { throw .truncated(path) }
    guard lines.whole.count == lineCount, lines.rest.isEmpty else { throw .damaged(path) }
    return lines.whole
  }

  private static func requireChecksum(
    of content: Span<UInt8>, _ line: Range<Int>, _ path: String
  ) throws(SodiumError) {
    let text = content.extracting(line)
    guard text.starts(with: checksumWord) else { throw .damaged(path) }
    let characters = text.extracting(droppingFirst: checksumWord.utf8.count)
    let digest = Digest(of: content.extracting(0..<line.lowerBound))
    guard Base64.decode(characters, byteCount: Digest.byteCount) == digest.bytes else {
      throw .damaged(path)
    }
  }
}

extension OutputSpan<UInt8> {
  fileprivate mutating func append(_ text: String) {
    for byte in text.utf8 { append(byte) }
  }
}
