package import MessageFormat

/// Why sealed bytes did not become a verified statement and payload; always a peer's doing.
package enum SealingError: Error, Equatable, CustomStringConvertible {
  case malformed(FormatError)
  case notARecipient
  /// Decryption failed: bytes were changed, mixed, cut off, or the key is another's.
  case tampered(chunk: UInt32)
  case unknownSigner(Mailbox)
  case badSignature
  case wrongType(String)
  /// The payload is not the one that the signed statement names.
  case wrongPayload(String)

  package var description: String {
    switch self {
    case .malformed(let error): "\(error)"
    case .notARecipient: "the sealed message has no key for this identity"
    case .tampered(let chunk):
      "chunk \(chunk) does not decrypt: it was changed, mixed up or cut off"
    case .unknownSigner(let mailbox): "signed by \(mailbox.abbreviated), which is not trusted"
    case .badSignature: "the signature does not match"
    case .wrongType(let type): "a statement of the type \(type)"
    case .wrongPayload(let what): "the payload is not the signed one: \(what)"
    }
  }
}
