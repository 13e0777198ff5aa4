import GitModel
import Mailboxes
import MessageFormat

/// What became of one message, as its receipt says it.
struct Outcome {
  let stored: StoredMessage
  /// `nil`: it could not be opened, or its signature was not good.
  let message: Message?
  /// The message's digest, where its sequence number is used up by this outcome.
  let seen: ContentDigest?
  let outcome: Receipt.Outcome
  /// What the stream's checkout is at now.
  let revision: ObjectID?
  /// Where its receipt takes the place of the one before: a message that a carrier brings again and again is answered
  /// once. The message's digest, which tells a carrier nothing.
  var slot: ContentDigest?
}

extension Outcome {
  init(_ applied: AppliedPatch) {
    let patch = applied.patch
    self.init(patch.admitted, .applied(patch.message.after))
  }

  init(_ admitted: AdmittedMessage, _ outcome: Receipt.Outcome) {
    let opened = admitted.opened
    self.init(
      stored: opened.stored, message: opened.message, seen: opened.digest, outcome: outcome,
      revision: nil)
  }

  init(_ refused: RefusedMessage, revision: ObjectID?) {
    let digest = refused.opened?.digest
    self.init(
      stored: refused.stored, message: refused.opened?.message,
      seen: refused.isAdmitted ? digest : nil,
      outcome: .refused(refused.reason.refusal, detail: refused.reason.detail), revision: revision,
      slot: refused.isAdmitted ? nil : digest)
  }
}
