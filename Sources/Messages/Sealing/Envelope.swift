package import MessageFormat
package import Sodium

/// The one way of a body into a sealed message, and out of it (docs/message-format.md, "Sealed message").
package enum Envelope {
  /// Signs a body and begins to seal it to every recipient; `payload` is what the body names by its digest, if it does.
  ///
  /// `slot`: the place that it takes in each recipient's mailbox, where it replaces what was there before.
  package static func seal<Body: StatementBody>(
    _ body: Body, payload: PayloadBuffer? = nil, by identity: Identity,
    for recipients: [PublicIdentity], slot: Slot? = nil
  ) throws(SodiumError) -> SealedEnvelope {
    let statement = try Statement.signed(
      body.encoded(), type: Body.statementType, by: identity)
    return SealedEnvelope(statement, payload: payload, for: recipients, slot: slot)
  }

  /// Decrypts the header and the statement; nothing of it is believed before `verified`.
  ///
  /// `id`: the name under which the message came. Throws `SealingError` for what a peer did, the source's error for what
  /// the machine did.
  package static func open<Source: ChunkSource>(
    _ chunks: Source, named id: MessageID, for identity: Identity
  ) throws -> OpenedEnvelope<Source> {
    try OpenedEnvelope.open(chunks, named: id, for: identity)
  }

  /// A message that is a body alone, without a payload.
  package static func open<Source: ChunkSource, Body: StatementBody>(
    _ body: Body.Type, in chunks: Source, named id: MessageID, for identity: Identity,
    trusting trusted: [PublicIdentity]
  ) throws -> Verified<Body> {
    let envelope = try open(chunks, named: id, for: identity)
    let verified = try envelope.verified(body, trusting: trusted)
    try envelope.requireNoPayload()
    return verified
  }
}
