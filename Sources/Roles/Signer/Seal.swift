import Mailboxes
import MessageFormat
import Sealing
import Sodium

/// The third stage: signs a message, seals it with its payload to every recipient, and hands the chunks to the outbox.
struct Seal {
  let identity: Identity
  let outbox: Outbox
  let progress: SendProgress

  /// Durable when it returns; nothing is left behind when it throws.
  func seal(_ enclosed: EnclosedMessage, for recipients: [PublicIdentity]) throws -> MessageID {
    let body = enclosed.message.encoded()
    let statement = try Statement.signed(body, type: Message.statementType, by: identity)
    var sealer = Sealer(for: recipients)
    let first = sealer.seal(statement, isLast: false)
    let description = enclosed.message.payload
    let overhead = UInt64(description.chunkCount) * UInt64(Limits.chunkOverheadByteCount)
    let size = SealedSize(
      chunkCount: 2 + description.chunkCount,
      byteCount: UInt64(sealer.header.count + first.count) + description.size + overhead)
    let sealed = try MessageWriter(
      DepositOffer(id: sealer.id, mailboxes: sealer.mailboxes, size: size),
      from: identity.public.mailbox, into: outbox.store)
    try sealed.append(sealer.header)
    try sealed.append(first)
    var done: UInt64 = 0
    try enclosed.payload.forEachPiece { piece, isLast in
      try sealed.append(sealer.seal(piece, isLast: isLast))
      done += UInt64(piece.count)
      progress.report(.sealing, done: done, of: description.size)
    }
    let names = recipients.map { ($0.mailbox, $0.name.text) }
    try outbox.store(
      sealed, of: enclosed.message, digest: ContentDigest(of: body),
      names: Dictionary(names) { first, _ in first })
    return sealer.id
  }
}
