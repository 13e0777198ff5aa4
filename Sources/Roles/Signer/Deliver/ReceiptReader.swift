import GRDB
import Mailboxes
package import MessageFormat
package import Sealing
import Sodium

/// The way back: receipt bytes → verified receipt → what it changes. A receipt that does not fit what it answers changes
/// nothing.
package struct ReceiptReader: Sendable {
  private let identity: Identity
  private let recipients: [Mailbox: PublicIdentity]
  private let outbox: Outbox

  package init(_ settings: SignerSettings, outbox: Outbox) {
    identity = settings.identity
    recipients = Dictionary(
      settings.repositories.flatMap(\.recipients).map { ($0.mailbox, $0) }
    ) { first, _ in first }
    self.outbox = outbox
  }

  /// What a receipt came to.
  package enum Reading: Sendable, Equatable {
    /// It was recorded and changes what is known of its applier.
    case news
    /// It says nothing that is not known already, or is older than what is.
    case known
    /// It answers nothing that this state remembers.
    case unasked
    /// This field is not what the answered message or heartbeat allows.
    case mismatch(field: String)
  }

  /// Throws `SealingError` for bytes that are no receipt of one of our recipients to us.
  package func read<Source: ChunkSource>(
    _ chunks: Source, named id: MessageID
  ) throws -> Verified<Receipt> {
    let envelope = try Envelope.open(chunks, named: id, for: identity)
    let verified = try envelope.verified(
      Receipt.self, trusting: envelope.claimedSigners.compactMap { recipients[$0] })
    try envelope.requireNoPayload()
    // Of another signer's message: passed on by someone who may read it.
    guard verified.body.signer == identity.public.mailbox else { throw SealingError.badSignature }
    return verified
  }

  /// All in one durable step, in their order.
  package func record(
    _ receipts: [Verified<Receipt>], at now: Timestamp
  ) throws(SignerError) -> [Reading] {
    guard !receipts.isEmpty else { return [] }
    return try outbox.writing { database in
      try receipts.map { receipt in
        try ReceiptRecord(receipt.body, at: now, in: database).write()
      }
    }
  }
}
