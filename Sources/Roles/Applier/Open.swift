import Mailboxes
package import MessageFormat
package import Sealing
import Sodium

/// A message whose signature, signer, recipient, age and payload digest have been verified.
///
/// Only `Open` makes one.
package struct OpenedMessage {
  package let message: Message
  /// Of the message's bytes: what the stream's next message names as `previous`.
  package let digest: ContentDigest
  package let payload: PayloadBuffer

  fileprivate init(message: Message, digest: ContentDigest, payload: PayloadBuffer) {
    self.message = message
    self.digest = digest
    self.payload = payload
  }
}

/// What a sealed message turned out to hold.
enum Opened {
  case message(OpenedMessage)
  /// Verified in the same way: signature, signer, recipient, age.
  case heartbeat(Heartbeat)
}

/// A heartbeat that says nothing new, or cannot be believed: nobody is told, or each one would be answered for ever.
struct DroppedHeartbeat: Error {
  let reason: Refused
}

/// The first stage behind the inbox: from sealed bytes to a verified message.
struct Open {
  let identity: Identity
  let trustedSigners: [PublicIdentity]
  let spoolDirectory: String

  /// Throws `Refused` for what a peer did, anything else for what the machine did.
  func open(_ stored: StoredMessage, now: Timestamp) throws -> Opened {
    do {
      let chunks = try stored.open()
      let header = try chunks[0]
      guard MessageID(ofHeader: header) == stored.id else {
        throw SealingError.tampered(chunk: 0)
      }
      var unsealer = try Unsealer(header: header, for: identity)
      let statement = try Statement(
        decoding: unsealer.open(chunks[1], isLast: chunks.count == 2))
      if statement.type == Heartbeat.statementType {
        guard chunks.count == 2 else {
          throw SealingError.wrongPayload("a heartbeat with \(chunks.count) chunks instead of 2")
        }
        return .heartbeat(try heartbeat(in: statement, now: now))
      }
      let (body, signer) = try statement.verified(type: Message.statementType, by: trustedSigners)
      let message = try Message(decoding: body)
      guard message.signer == signer.mailbox else {
        throw Refused(.badSignature, "the message names another signer than the one who signed it")
      }
      try requireRecipient(message.recipients)
      try requireAge(message.createdAt, message.expiresAt, now: now)
      let payload = try openPayload(of: message, chunks, &unsealer)
      return .message(
        OpenedMessage(message: message, digest: ContentDigest(of: body), payload: payload))
    } catch let error as SealingError {
      throw Refused(error)
    } catch let error as FormatError {
      throw Refused(error)
    } catch let error as MailboxError where error.isLoss {
      throw Refused(.tampered, "the disk has lost it: \(error)")
    }
  }

  /// Throws `DroppedHeartbeat`.
  private func heartbeat(
    in statement: Statement, now: Timestamp
  ) throws -> Heartbeat {
    do {
      let (body, signer) = try statement.verified(type: Heartbeat.statementType, by: trustedSigners)
      let heartbeat = try Heartbeat(decoding: body)
      guard heartbeat.signer == signer.mailbox else {
        throw Refused(.badSignature, "the heartbeat names another signer than who signed it")
      }
      try requireRecipient(heartbeat.recipients)
      try requireAge(heartbeat.createdAt, heartbeat.expiresAt, now: now)
      return heartbeat
    } catch let error as SealingError {
      throw DroppedHeartbeat(reason: Refused(error))
    } catch let error as FormatError {
      throw DroppedHeartbeat(reason: Refused(error))
    } catch let error as Refused {
      throw DroppedHeartbeat(reason: error)
    }
  }

  /// Sealed to us is not enough: a recipient could have passed the signed message on.
  private func requireRecipient(_ recipients: [Mailbox]) throws(Refused) {
    guard recipients.contains(identity.public.mailbox) else {
      throw Refused(.notARecipient, "the signed message is for others")
    }
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

  private func openPayload(
    of message: Message, _ chunks: StoredChunks, _ unsealer: inout Unsealer
  ) throws -> PayloadBuffer {
    guard chunks.count == 2 + message.payload.chunkCount else {
      throw SealingError.wrongPayload(
        "\(chunks.count) chunks instead of \(2 + message.payload.chunkCount)")
    }
    let payload = PayloadBuffer(directory: spoolDirectory)
    for index in 2..<chunks.count {
      try payload.append(unsealer.open(chunks[index], isLast: index + 1 == chunks.count))
    }
    guard payload.byteCount == message.payload.size, payload.finish() == message.payload.digest
    else {
      throw SealingError.wrongPayload("its digest or size differs")
    }
    return payload
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

  init(_ error: FormatError) {
    self.init(SealingError.malformed(error))
  }
}
