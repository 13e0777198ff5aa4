import Mailboxes
import MessageFormat
import Sealing
import Sodium

/// The third stage: signs a message, seals it with its payload to every recipient, and hands the chunks to the outbox.
struct Seal {
  let identity: Identity
  let outbox: Outbox
  let progress: SendProgress

  /// Durable when it returns; nothing is left behind when it throws: `streamMoved` where the requirement is not met at the
  /// moment that gives the message its number.
  func seal(
    _ enclosed: EnclosedMessage, for recipients: [PublicIdentity],
    requiring requirement: HeadRequirement, movesHead: Bool
  ) throws -> (id: MessageID, head: StreamHead) {
    let (message, payload) = (enclosed.message, enclosed.payload)
    let envelope = try Envelope.seal(message, payload: payload, by: identity, for: recipients)
    let offer = envelope.offer
    let sealed = try MessageWriter(
      offer, from: identity.public.mailbox, into: outbox.store)
    try envelope.write(to: sealed.append) { done in
      progress.report(.sealing, done: done, of: message.payload?.size ?? 0)
    }
    let names = recipients.map { ($0.mailbox, $0.name.text) }
    let digest = ContentDigest(of: message.encoded())
    try outbox.store(
      sealed, of: message, digest: digest, names: Dictionary(names) { first, _ in first },
      requiring: requirement, movesHead: movesHead)
    let head = StreamHead(
      sequence: message.sequence, revision: message.after.revision, tree: message.after.tree,
      digest: digest)
    return (offer.id, head)
  }
}
