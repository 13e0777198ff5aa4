import FoundationEssentials

/// Bytes with their type and the signatures over both (docs/message-format.md, "Statement").
///
/// What is signed is DSSE's pre-authentication encoding of `type` and `body`. The signers named here are hints for
/// finding a key, never a decision.
package struct Statement: Hashable, Sendable {
  package struct Signature: Hashable, Sendable {
    package let signer: Mailbox
    package let bytes: [UInt8]

    package init(signer: Mailbox, bytes: [UInt8]) {
      self.signer = signer
      self.bytes = bytes
    }
  }

  package let type: String
  package let body: [UInt8]
  package let signatures: [Signature]

  package init(type: String, body: [UInt8], signatures: [Signature]) {
    self.type = type
    self.body = body
    self.signatures = signatures
  }

  package func encoded() -> [UInt8] {
    var wire = WireStatement()
    wire.type = type
    wire.body = Data(body)
    wire.signatures = signatures.map { signature in
      var wire = WireSignature()
      wire.signer = Data(signature.signer.bytes)
      wire.signature = Data(signature.bytes)
      return wire
    }
    return encodeCanonically(wire)
  }

  package init(decoding bytes: [UInt8]) throws(FormatError) {
    let wire = try decodeCanonically(
      WireStatement.self, from: bytes, named: "statement",
      byteCountMax: Limits.statementByteCountMax)
    guard !wire.signatures.isEmpty else { throw .invalid(field: "statement.signatures") }
    try requireLimit(
      wire.signatures.count, Limits.signatureCountMax, field: "statement.signatures")
    var signatures: [Signature] = []
    for signature in wire.signatures {
      guard signature.signature.count == Limits.signatureByteCount else {
        throw .wrongLength(
          field: "statement.signature", expected: Limits.signatureByteCount,
          actual: signature.signature.count)
      }
      signatures.append(
        Signature(
          signer: try name(signature.signer, field: "statement.signer"),
          bytes: Array(signature.signature)))
    }
    self.init(type: wire.type, body: Array(wire.body), signatures: signatures)
  }
}
