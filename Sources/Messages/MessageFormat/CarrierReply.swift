import FoundationEssentials

/// What a carrier answers (docs/message-format.md, "Carrier protocol").
package enum CarrierReply: Hashable, Sendable {
  /// Goes on with a deposit: the next chunk expected, and how many may be sent from there before the next answer.
  case proceed(ChunkName, credit: UInt32)
  /// The whole message is on the carrier's disk.
  case stored(MessageID)
  /// `mailboxes`: of a deposit, those that are concerned; the rest may be offered anew. Empty: all.
  case refused(MessageID?, CarrierRefusal, mailboxes: [Mailbox], detail: String)
  /// `more`: another delivery follows in the same answer.
  case delivery(MailboxEntry, SealedSize, more: Bool)
  case chunk(ChunkName)
  /// Nothing waits in the mailbox, and the time to wait is over.
  case empty
  case acknowledged(MailboxEntry)
}

/// Why a carrier does not do what it was asked; the names never change.
package enum CarrierRefusal: String, Sendable, Hashable, CaseIterable {
  case malformed = "malformed"
  case notAllowed = "not-allowed"
  case unknownMailbox = "unknown-mailbox"
  case unknownMessage = "unknown-message"
  case outOfOrder = "out-of-order"
  case overLimit = "over-limit"
  case overQuota = "over-quota"
  /// The carrier's machine failed, its disk is full for one; the sender keeps the message and tries again.
  case fault = "fault"
}

extension CarrierReply {
  package func encoded() -> [UInt8] {
    var wire = WireReply()
    wire.version = formatVersion
    switch self {
    case .proceed(let chunk, let credit):
      wire.continue.messageID = Data(chunk.id.bytes)
      wire.continue.nextChunk = chunk.index
      wire.continue.credit = credit
    case .stored(let id):
      wire.stored.messageID = Data(id.bytes)
    case .refused(let id, let reason, let mailboxes, let detail):
      wire.refused.messageID = Data(id?.bytes ?? [])
      wire.refused.reason = reason.rawValue
      wire.refused.detail = printableDetail(detail, byteCountMax: Limits.detailByteCountMax)
      wire.refused.mailboxes = mailboxes.map { Data($0.bytes) }
    case .delivery(let entry, let size, let more):
      wire.delivery.position = entry.position
      wire.delivery.messageID = Data(entry.id.bytes)
      wire.delivery.chunkCount = size.chunkCount
      wire.delivery.byteCount = size.byteCount
      wire.delivery.more = more
    case .chunk(let chunk):
      wire.chunk = chunk.wire
    case .empty:
      wire.empty = WireEmpty()
    case .acknowledged(let entry):
      wire.acknowledged.position = entry.position
      wire.acknowledged.messageID = Data(entry.id.bytes)
    }
    return encodeCanonically(wire)
  }

  package init(decoding bytes: [UInt8]) throws(FormatError) {
    let wire = try decodeCanonically(
      WireReply.self, from: bytes, named: "reply", byteCountMax: Limits.carrierFrameByteCountMax)
    try requireVersion(wire.version, of: "reply")
    switch wire.kind {
    case .continue(let proceed):
      try requireLimit(UInt64(proceed.credit), UInt64(Limits.creditMax), field: "continue.credit")
      self = .proceed(
        ChunkName(
          id: try name(proceed.messageID, field: "continue.message_id"),
          index: try chunkIndex(proceed.nextChunk, field: "continue.next_chunk")),
        credit: proceed.credit)
    case .stored(let stored):
      self = .stored(try name(stored.messageID, field: "stored.message_id"))
    case .refused(let refused):
      self = try Self.refused(refused)
    case .delivery(let delivery):
      self = .delivery(
        MailboxEntry(
          position: delivery.position,
          id: try name(delivery.messageID, field: "delivery.message_id")),
        try SealedSize(checking: delivery.chunkCount, delivery.byteCount), more: delivery.more)
    case .chunk(let chunk):
      self = .chunk(try ChunkName(chunk))
    case .empty:
      self = .empty
    case .acknowledged(let acknowledged):
      self = .acknowledged(
        MailboxEntry(
          position: acknowledged.position,
          id: try name(acknowledged.messageID, field: "acknowledged.message_id")))
    case nil:
      throw .invalid(field: "reply.kind")
    }
  }

  private static func refused(_ wire: WireRefused) throws(FormatError) -> CarrierReply {
    guard let reason = CarrierRefusal(rawValue: wire.reason) else {
      throw .invalid(field: "refused.reason")
    }
    try requireLimit(wire.detail.utf8.count, Limits.detailByteCountMax, field: "refused.detail")
    try requirePrintable(wire.detail, field: "refused.detail")
    let id: MessageID? =
      wire.messageID.isEmpty ? nil : try name(wire.messageID, field: "refused.message_id")
    return .refused(
      id, reason, mailboxes: try distinctMailboxes(wire.mailboxes, field: "refused.mailboxes"),
      detail: wire.detail)
  }
}
