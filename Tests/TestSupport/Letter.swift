package import Mailboxes
package import MessageFormat
import Sealing

extension Name {
  /// 32 times the same byte.
  package init(repeating byte: UInt8) {
    guard let name = Name([UInt8](repeating: byte, count: nameByteCount)) else {
      preconditionFailure("32 bytes are a name")
    }
    self = name
  }

  /// One of four billion.
  package init(number: UInt32) {
    let bytes = [UInt8](repeating: 0xee, count: 28)
    guard let name = Name(bytes + (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) })
    else { preconditionFailure("32 bytes are a name") }
    self = name
  }
}

/// Chunks as a sealed message has them: a header, a statement of any size, then full ones, then a last one.
package struct Letter: Sendable {
  package let number: UInt32
  package let id: MessageID
  package let chunks: [[UInt8]]
  package let slot: Slot?
  package let sender = Mailbox(repeating: 0xaa)
  package let time = Timestamp(milliseconds: 1_000)

  /// Whom a letter is for unless its test says otherwise.
  package static let recipients =
    [0x51, 0xa1, 0xb0].map { Mailbox(repeating: $0) }
    + ["server", "alice", "bob"].map(TestIdentity.mailbox)

  package init(
    _ number: UInt32, payloadByteCount: Int = 100, for recipients: [Mailbox] = Letter.recipients,
    slot: Slot? = nil, filler: UInt8 = 0
  ) {
    self.number = number
    self.slot = slot
    var generator = SeededGenerator(seed: UInt64(number))
    let header = SealedHeader(
      streamHeader: generator.bytes(Limits.streamHeaderByteCount),
      recipients: recipients.map {
        .init(mailbox: $0, wrappedKey: generator.bytes(Limits.wrappedKeyByteCount))
      }
    ).encoded()
    id = MessageID(ofHeader: header)
    var chunks = [header, generator.bytes(300)]
    var rest = payloadByteCount
    while rest > 0 {
      let count = min(rest, Limits.chunkByteCountMax)
      chunks.append(
        [UInt8](repeating: filler &+ UInt8(truncatingIfNeeded: chunks.count), count: count))
      rest -= count
    }
    self.chunks = chunks
  }

  package var size: SealedSize {
    SealedSize(
      chunkCount: UInt32(chunks.count),
      byteCount: chunks.reduce(0) { $0 + UInt64($1.count) })
  }

  package func offer(for mailboxes: [Mailbox]) -> DepositOffer {
    DepositOffer(id: id, mailboxes: mailboxes, size: size, slot: slot)
  }
}

extension StoredMessage {
  package func chunks() throws -> [[UInt8]] {
    let stored = try open()
    return try (0..<stored.count).map { try stored[$0] }
  }
}
