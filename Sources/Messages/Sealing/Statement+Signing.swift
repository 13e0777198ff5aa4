package import MessageFormat
package import Sodium

extension Statement {
  /// Signs a body as its type (docs/message-format.md, "Statement").
  package static func signed(
    _ body: [UInt8], type: String, by identity: Identity
  ) throws(SodiumError) -> Statement {
    let signature = try identity.sign(PreAuthenticationEncoding(type: type, body: body))
    return Statement(
      type: type, body: body,
      signatures: [Statement.Signature(signer: identity.public.mailbox, bytes: signature.bytes)])
  }

  /// The body, and the one of `trusted` that signed it; the only way from a statement to bytes that may be decoded.
  package func verified(
    type expected: String, by trusted: [PublicIdentity]
  ) throws(SealingError) -> (body: [UInt8], signer: PublicIdentity) {
    guard type == expected else { throw .wrongType(String(type.prefix(100))) }
    let encoding = PreAuthenticationEncoding(type: type, body: body)
    var knowsSigner = false
    for signature in signatures {
      for identity in trusted where identity.mailbox == signature.signer {
        knowsSigner = true
        guard let bytes = Sodium.Signature(bytes: signature.bytes) else { continue }
        if identity.verify(bytes, over: encoding) { return (body, identity) }
      }
    }
    if knowsSigner { throw .badSignature }
    throw .unknownSigner(signatures[0].signer)
  }
}
