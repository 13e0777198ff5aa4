import FoundationEssentials

/// Chunk 0 of a sealed message: the only part that is not encrypted (docs/message-format.md, "Sealed message").
package struct SealedHeader: Hashable, Sendable {
  package struct Recipient: Hashable, Sendable {
    package let mailbox: Mailbox
    /// `crypto_box_seal` of the content key.
    package let wrappedKey: [UInt8]

    package init(mailbox: Mailbox, wrappedKey: [UInt8]) {
      self.mailbox = mailbox
      self.wrappedKey = wrappedKey
    }
  }

  /// The header of the `crypto_secretstream`.
  package let streamHeader: [UInt8]
  /// In ascending order of their mailboxes, each once, at least one.
  package let recipients: [Recipient]

  package init(streamHeader: [UInt8], recipients: [Recipient]) {
    precondition(streamHeader.count == Limits.streamHeaderByteCount)
    self.streamHeader = streamHeader
    self.recipients = recipients.sorted {
      $0.mailbox.bytes.lexicographicallyPrecedes($1.mailbox.bytes)
    }
  }

  package func encoded() -> [UInt8] {
    var wire = WireSealedHeader()
    wire.version = formatVersion
    wire.streamHeader = Data(streamHeader)
    wire.recipients = recipients.map { recipient in
      var wire = WireRecipient()
      wire.mailbox = Data(recipient.mailbox.bytes)
      wire.wrappedKey = Data(recipient.wrappedKey)
      return wire
    }
    return encodeCanonically(wire)
  }

  package init(decoding bytes: [UInt8]) throws(FormatError) {
    let wire = try decodeCanonically(
      WireSealedHeader.self, from: bytes, named: "header",
      byteCountMax: Limits.chunkByteCountMax)
    try requireVersion(wire.version, of: "header")
    guard wire.streamHeader.count == Limits.streamHeaderByteCount else {
      throw .wrongLength(
        field: "header.stream_header", expected: Limits.streamHeaderByteCount,
        actual: wire.streamHeader.count)
    }
    try requireLimit(wire.recipients.count, Limits.recipientCountMax, field: "header.recipients")
    guard !wire.recipients.isEmpty else { throw .invalid(field: "header.recipients") }
    var recipients: [Recipient] = []
    for recipient in wire.recipients {
      let mailbox: Mailbox = try name(recipient.mailbox, field: "header.recipients.mailbox")
      if let last = recipients.last {
        guard last.mailbox.bytes.lexicographicallyPrecedes(mailbox.bytes) else {
          throw .notCanonical("header.recipients")
        }
      }
      guard recipient.wrappedKey.count == Limits.wrappedKeyByteCount else {
        throw .wrongLength(
          field: "header.recipients.wrapped_key", expected: Limits.wrappedKeyByteCount,
          actual: recipient.wrappedKey.count)
      }
      recipients.append(Recipient(mailbox: mailbox, wrappedKey: Array(recipient.wrappedKey)))
    }
    self.init(streamHeader: Array(wire.streamHeader), recipients: recipients)
  }
}
