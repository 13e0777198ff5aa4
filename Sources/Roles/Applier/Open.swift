import Mailboxes
package import MessageFormat
import Sealing
import Sodium

/// A message whose signature, signer, recipient, age and payload digest have been verified.
///
/// Only `Open` makes one.
package struct OpenedMessage {
  let stored: StoredMessage
  package let message: Message
  /// Of the message's bytes: what the stream's next message names as `previous`.
  package let digest: ContentDigest
  /// `nil`: the files are the same.
  package let payload: OpenedPayload?

  fileprivate init(
    stored: StoredMessage, message: Message, digest: ContentDigest, payload: OpenedPayload?
  ) {
    self.stored = stored
    self.message = message
    self.digest = digest
    self.payload = payload
  }
}

/// What a message brings, compressed, with what it says of it.
package struct OpenedPayload {
  let description: PayloadDescription
  let buffer: PayloadBuffer
}

/// A heartbeat, verified in the same way: signature, signer, recipient, age.
///
/// Only `Open` makes one.
struct OpenedHeartbeat {
  let stored: StoredMessage
  let heartbeat: Heartbeat

  fileprivate init(stored: StoredMessage, heartbeat: Heartbeat) {
    self.stored = stored
    self.heartbeat = heartbeat
  }
}

/// What a sealed message turned out to hold.
enum Opened {
  case message(OpenedMessage)
  case heartbeat(OpenedHeartbeat)
}

/// The first stage behind the inbox: from sealed bytes to a verified message.
struct Open {
  let identity: Identity
  let trustedSigners: [PublicIdentity]
  let spoolDirectory: String

  /// Throws what the machine did.
  func open(_ stored: StoredMessage, now: Timestamp) throws -> Passage<Opened> {
    var isHeartbeat = false
    do {
      let envelope = try Envelope.open(try stored.open(), named: stored.id, for: identity)
      isHeartbeat = envelope.type == Heartbeat.statementType
      guard !isHeartbeat else {
        let heartbeat = try envelope.verified(Heartbeat.self, trusting: trustedSigners)
        try envelope.requireNoPayload()
        try requireAddressed(heartbeat.body, now: now)
        return .next(.heartbeat(OpenedHeartbeat(stored: stored, heartbeat: heartbeat.body)))
      }
      let message = try envelope.verified(Message.self, trusting: trustedSigners)
      try requireAddressed(message.body, now: now)
      return .next(
        .message(
          OpenedMessage(
            stored: stored, message: message.body, digest: message.digest,
            payload: try payload(of: message.body, in: envelope))))
    } catch {
      let refused = try Self.refusal(of: error)
      return .ends(
        isHeartbeat
          ? .heartbeatDropped(stored, refused)
          : .refused(RefusedMessage(.unopened(stored), refused)))
    }
  }

  private func payload(
    of message: Message, in envelope: consuming OpenedEnvelope<StoredChunks>
  ) throws -> OpenedPayload? {
    guard let description = message.payload else {
      try envelope.requireNoPayload()
      return nil
    }
    return OpenedPayload(
      description: description,
      buffer: try envelope.payload(description, into: spoolDirectory))
  }

  /// What a peer did, as a refusal; what the machine did is thrown as it is.
  private static func refusal(of error: any Error) throws -> Refused {
    switch error {
    case let error as Refused: return error
    case let error as SealingError: return Refused(error)
    case let error as MailboxError where error.isLoss:
      return Refused(.tampered, "the disk has lost it: \(error)")
    default: throw error
    }
  }

  /// Sealed to us is not enough: a recipient could have passed the signed message on.
  private func requireAddressed(
    _ body: some AddressedBody, now: Timestamp
  ) throws(Refused) {
    guard body.recipients.contains(identity.public.mailbox) else {
      throw Refused(.notARecipient, "the signed message is for others")
    }
    try requireAge(body.createdAt, body.expiresAt, now: now)
  }

  private func requireAge(
    _ createdAt: Timestamp, _ expiresAt: Timestamp, now: Timestamp
  ) throws(Refused) {
    guard createdAt <= now.adding(milliseconds: Limits.clockSkewMillisecondsMax) else {
      let seconds = (createdAt.milliseconds - now.milliseconds) / 1_000
      throw Refused(.clockSkew, "made \(seconds) s in the future; one of the two clocks is wrong")
    }
    guard expiresAt > now else {
      let seconds = (now.milliseconds - expiresAt.milliseconds) / 1_000
      throw Refused(.expired, "expired \(seconds) s ago")
    }
    let lifetimeEnd = createdAt.adding(milliseconds: Limits.lifetimeMillisecondsMax)
    guard createdAt < expiresAt, expiresAt <= lifetimeEnd else {
      let days = Limits.lifetimeMillisecondsMax / 86_400_000
      throw Refused(.overLimit, "its lifetime is over the limit of \(days) days, or negative")
    }
  }
}

extension Refused {
  init(_ error: SealingError) {
    let refusal: Refusal =
      switch error {
      case .malformed(.overLimit): .overLimit
      case .malformed, .wrongType: .malformed
      case .notARecipient: .notARecipient
      case .tampered, .wrongPayload: .tampered
      case .unknownSigner: .unknownSigner
      case .badSignature: .badSignature
      }
    self.init(refusal, error.description)
  }
}

extension StoredChunks: ChunkSource {}
