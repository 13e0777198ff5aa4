package import MessageFormat
package import Sodium

/// Makes the chunks of one sealed message, in their order (docs/message-format.md, "Sealed message").
package struct Sealer: ~Copyable {
  /// Chunk 0, in clear: for whom it is, and each recipient's wrapped key.
  package let header: [UInt8]
  package let id: MessageID
  package let mailboxes: [Mailbox]
  private var sealer: ChunkSealer

  package init(for recipients: [PublicIdentity]) {
    let key = ContentKey(generating: ())
    sealer = ChunkSealer(key: key)
    var wrapped: [SealedHeader.Recipient] = []
    for recipient in recipients {
      wrapped.append(.init(mailbox: recipient.mailbox, wrappedKey: recipient.seal(key)))
    }
    let sealedHeader = SealedHeader(streamHeader: sealer.header, recipients: wrapped)
    header = sealedHeader.encoded()
    id = MessageID(ofHeader: header)
    mailboxes = sealedHeader.recipients.map(\.mailbox)
  }

  /// Chunk 1: the signed statement. `isLast` where no payload follows, as with a receipt.
  package mutating func seal(_ statement: Statement, isLast: Bool) -> [UInt8] {
    seal(statement.encoded(), isLast: isLast)
  }

  /// A chunk of payload: `Limits.chunkPlaintextByteCountMax` bytes, fewer only in the last one.
  package mutating func seal(_ content: [UInt8], isLast: Bool) -> [UInt8] {
    precondition(content.count <= Limits.chunkPlaintextByteCountMax)
    return sealer.seal(
      content.span, additionalData: id.bytes, as: isLast ? .final : .message)
  }
}

/// Opens the chunks that `Sealer` made, in their order.
package struct Unsealer: ~Copyable {
  private let id: MessageID
  private var opener: ChunkOpener
  private var nextChunk: UInt32 = 1

  package init(header bytes: [UInt8], for identity: Identity) throws(SealingError) {
    let header: SealedHeader
    do throws(FormatError) {
      header = try SealedHeader(decoding: bytes)
    } catch {
      throw .malformed(error)
    }
    let ours = identity.public.mailbox
    guard let recipient = header.recipients.first(where: { $0.mailbox == ours }) else {
      throw .notARecipient
    }
    do throws(SodiumError) {
      opener = ChunkOpener(
        key: try identity.openSealed(wrapped: recipient.wrappedKey), header: header.streamHeader)
    } catch {
      throw .tampered(chunk: 0)
    }
    id = MessageID(ofHeader: bytes)
  }

  /// The next chunk's content. That the last chunk is the last, and no other, is part of what is verified.
  package mutating func open(_ chunk: [UInt8], isLast: Bool) throws(SealingError) -> [UInt8] {
    do throws(SodiumError) {
      let (content, tag) = try opener.open(chunk.span, additionalData: id.bytes)
      guard (tag == .final) == isLast else { throw SodiumError.chunkNotAuthentic }
      nextChunk += 1
      return content
    } catch {
      throw .tampered(chunk: nextChunk)
    }
  }
}

extension Name where Thing == MessageThing {
  /// What chunk 0 says, and with it the content key, is bound into every other chunk.
  package init(ofHeader header: [UInt8]) {
    self.init(digest: Digest(of: header))
  }
}

extension Name where Thing == ContentThing {
  package init(of content: [UInt8]) {
    self.init(digest: Digest(of: content))
  }
}
