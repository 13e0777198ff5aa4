import GRDB
import Mailboxes
package import MessageFormat
package import Sealing
package import Sodium

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

  /// What an applier has sent us, verified.
  package enum Answer: Sendable {
    case receipt(Verified<Receipt>)
    case report(Verified<Report>)

    package var author: PublicIdentity {
      switch self {
      case .receipt(let receipt): receipt.author
      case .report(let report): report.author
      }
    }
  }

  /// What a receipt, or what a report says of one stream, came to.
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

  /// Throws `SealingError` for bytes that are no receipt or report of one of our recipients to us.
  package func read<Source: ChunkSource>(_ chunks: Source, named id: MessageID) throws -> Answer {
    let envelope = try Envelope.open(chunks, named: id, for: identity)
    let trusted = envelope.claimedSigners.compactMap { recipients[$0] }
    let answer: Answer
    let reader: Mailbox
    if envelope.type == Report.statementType {
      let report = try envelope.verified(Report.self, trusting: trusted)
      (answer, reader) = (.report(report), report.body.signer)
    } else {
      let receipt = try envelope.verified(Receipt.self, trusting: trusted)
      (answer, reader) = (.receipt(receipt), receipt.body.signer)
    }
    try envelope.requireNoPayload()
    // To another signer: passed on by a recipient that may read it.
    guard reader == identity.public.mailbox else { throw SealingError.badSignature }
    return answer
  }

  /// All in one durable step, in their order; returns what became of each, of a report stream by stream.
  package func record(
    _ answers: [Answer], at now: Timestamp
  ) throws(SignerError) -> [[Reading]] {
    guard !answers.isEmpty else { return [] }
    return try outbox.writing { database in
      try answers.map { answer in
        switch answer {
        case .receipt(let receipt):
          [try ReceiptRecord(receipt.body, at: now, in: database).write()]
        case .report(let report):
          try ReportRecord(report.body, at: now, in: database).write()
        }
      }
    }
  }
}
