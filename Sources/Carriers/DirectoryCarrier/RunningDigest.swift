import Sodium

/// The digest of bytes that come in pieces, one after the other.
final class RunningDigest {
  private var hasher: DigestHasher? = DigestHasher()

  func update(_ bytes: [UInt8]) { hasher?.update(bytes.span) }

  /// Once.
  func finish() -> Digest {
    guard let hasher = hasher.take() else { preconditionFailure("a digest is finished once") }
    return hasher.finalize()
  }
}
