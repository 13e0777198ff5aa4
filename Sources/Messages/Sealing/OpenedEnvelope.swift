package import MessageFormat
package import Sodium

/// What `Envelope.open` verified: signed by its author, whom the reader trusts, and sealed to the reader.
///
/// Only `OpenedEnvelope.verified` makes one.
package struct Verified<Body: StatementBody>: Sendable {
  package let body: Body
  /// The identity that signed it.
  package let author: PublicIdentity
  /// Of the body's bytes as they were signed.
  package let digest: ContentDigest

  fileprivate init(body: Body, author: PublicIdentity, digest: ContentDigest) {
    self.body = body
    self.author = author
    self.digest = digest
  }
}

/// A sealed message whose statement was decrypted.
package struct OpenedEnvelope<Source: ChunkSource>: ~Copyable {
  /// What the statement says that it is: decides which body is asked for, and is verified with it.
  package var type: String { statement.type }

  /// The signer that the statement names: for finding keys among many, never for a decision.
  package var claimedSigners: [Mailbox] { statement.signatures.map(\.signer) }

  private let chunks: Source
  private let statement: Statement
  private var unsealer: Unsealer

  static func open(
    _ chunks: Source, named id: MessageID, for identity: Identity
  ) throws -> OpenedEnvelope {
    guard chunks.count >= 2 else {
      throw SealingError.wrongPayload("\(chunks.count) chunks instead of 2 at least")
    }
    let header = try chunks[0]
    guard MessageID(ofHeader: header) == id else { throw SealingError.tampered(chunk: 0) }
    var unsealer = try Unsealer(header: header, for: identity)
    let content = try unsealer.open(chunks[1], isLast: chunks.count == 2)
    return OpenedEnvelope(
      chunks: chunks, statement: try decoded(content), unsealer: unsealer)
  }

  private static func decoded(_ bytes: [UInt8]) throws(SealingError) -> Statement {
    do throws(FormatError) {
      return try Statement(decoding: bytes)
    } catch {
      throw .malformed(error)
    }
  }

  /// The body, if one of `trusted` signed it as this type and is the author that it names.
  package func verified<Body: StatementBody>(
    _ type: Body.Type, trusting trusted: [PublicIdentity]
  ) throws(SealingError) -> Verified<Body> {
    let (bytes, signer) = try statement.verified(type: Body.statementType, by: trusted)
    let body: Body
    do throws(FormatError) {
      body = try Body(decoding: bytes)
    } catch {
      throw .malformed(error)
    }
    guard body.author == signer.mailbox else { throw .badSignature }
    return Verified(body: body, author: signer, digest: ContentDigest(of: bytes))
  }

  package func requireNoPayload() throws(SealingError) {
    guard chunks.count == 2 else {
      throw .wrongPayload("\(chunks.count) chunks instead of 2")
    }
  }

  /// The payload that a verified message names: whole, with its size and digest. Nothing of it was interpreted.
  ///
  /// `directory`: where a large one's file goes.
  package consuming func payload(
    _ description: PayloadDescription, into directory: String
  ) throws -> PayloadBuffer {
    let expected = 2 + description.chunkCount
    guard chunks.count == expected else {
      throw SealingError.wrongPayload("\(chunks.count) chunks instead of \(expected)")
    }
    let payload = PayloadBuffer(directory: directory)
    for index in 2..<chunks.count {
      try payload.append(unsealer.open(chunks[index], isLast: index + 1 == chunks.count))
    }
    guard payload.byteCount == description.size, payload.finish() == description.digest else {
      throw SealingError.wrongPayload("its digest or size differs")
    }
    return payload
  }
}
