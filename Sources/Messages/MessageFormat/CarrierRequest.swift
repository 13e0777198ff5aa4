import FoundationEssentials

/// What a signer or applier asks of a carrier (docs/message-format.md, "Carrier protocol").
///
/// A chunk's bytes follow in a frame of their own, so that they are never copied into a structure.
package enum CarrierRequest: Hashable, Sendable {
  case deposit(DepositOffer)
  case chunk(ChunkName)
  /// The mailbox's first messages after a position, as many as `credit` chunks hold, of the first one at least a part. Where
  /// there is none, the answer may take `waitMilliseconds`.
  case collect(after: UInt64, credit: UInt32, waitMilliseconds: UInt32)
  /// More chunks of a message that was delivered.
  case fetch(ChunkName, credit: UInt32)
  case acknowledge(MailboxEntry)
}

/// A sealed message that its sender wants to hand over.
package struct DepositOffer: Hashable, Sendable {
  package let id: MessageID
  /// In which mailboxes it is to be put; each is a recipient of its header.
  package let mailboxes: [Mailbox]
  package let size: SealedSize
  /// It takes the place of the depositor's message that was put there before and was not collected.
  package let slot: Slot?

  package init(id: MessageID, mailboxes: [Mailbox], size: SealedSize, slot: Slot? = nil) {
    self.id = id
    self.mailboxes = mailboxes
    self.size = size
    self.slot = slot
  }
}

/// How large a sealed message is.
package struct SealedSize: Hashable, Sendable {
  package let chunkCount: UInt32
  package let byteCount: UInt64

  package init(chunkCount: UInt32, byteCount: UInt64) {
    self.chunkCount = chunkCount
    self.byteCount = byteCount
  }

  /// Within the limits, and possible: no chunk is empty, none is over the limit, and the ones between statement and last
  /// are full, so that few bytes cannot pass for many chunks.
  package init(checking chunkCount: UInt32, _ byteCount: UInt64) throws(FormatError) {
    try requireLimit(UInt64(chunkCount), UInt64(Limits.chunkCountMax), field: "chunk_count")
    let (count, full) = (UInt64(chunkCount), UInt64(Limits.chunkByteCountMax))
    // Header and statement are always there.
    let fullCount = count > 3 ? count - 3 : 0
    guard count >= 2, byteCount >= fullCount * full + (count - fullCount) else {
      throw .invalid(field: "chunk_count")
    }
    try requireLimit(byteCount, count * full, field: "byte_count")
    self.init(chunkCount: chunkCount, byteCount: byteCount)
  }
}

package struct ChunkName: Hashable, Sendable {
  package let id: MessageID
  package let index: UInt32

  package init(id: MessageID, index: UInt32) {
    self.id = id
    self.index = index
  }
}

/// A message's place in a mailbox; positions only grow.
package struct MailboxEntry: Hashable, Sendable {
  package let position: UInt64
  package let id: MessageID

  package init(position: UInt64, id: MessageID) {
    self.position = position
    self.id = id
  }
}

extension CarrierRequest {
  package func encoded() -> [UInt8] {
    var wire = WireRequest()
    wire.version = formatVersion
    switch self {
    case .deposit(let offer):
      wire.deposit.messageID = Data(offer.id.bytes)
      wire.deposit.mailboxes = offer.mailboxes.map { Data($0.bytes) }
      wire.deposit.chunkCount = offer.size.chunkCount
      wire.deposit.byteCount = offer.size.byteCount
      wire.deposit.slot = Data(offer.slot?.bytes ?? [])
    case .chunk(let chunk):
      wire.chunk = chunk.wire
    case .collect(let after, let credit, let wait):
      wire.collect.after = after
      wire.collect.credit = credit
      wire.collect.waitMilliseconds = wait
    case .fetch(let chunk, let credit):
      wire.fetch.messageID = Data(chunk.id.bytes)
      wire.fetch.firstChunk = chunk.index
      wire.fetch.credit = credit
    case .acknowledge(let entry):
      wire.acknowledge.position = entry.position
      wire.acknowledge.messageID = Data(entry.id.bytes)
    }
    return encodeCanonically(wire)
  }

  package init(decoding bytes: [UInt8]) throws(FormatError) {
    let wire = try decodeCanonically(
      WireRequest.self, from: bytes, named: "request",
      byteCountMax: Limits.carrierFrameByteCountMax)
    try requireVersion(wire.version, of: "request")
    switch wire.kind {
    case .deposit(let deposit):
      self = .deposit(try DepositOffer(deposit))
    case .chunk(let chunk):
      self = .chunk(try ChunkName(chunk))
    case .collect(let collect):
      try requireLimit(UInt64(collect.credit), UInt64(Limits.creditMax), field: "collect.credit")
      try requireLimit(
        UInt64(collect.waitMilliseconds), UInt64(Limits.collectWaitMillisecondsMax),
        field: "collect.wait_milliseconds")
      self = .collect(
        after: collect.after, credit: collect.credit, waitMilliseconds: collect.waitMilliseconds)
    case .fetch(let fetch):
      try requireLimit(UInt64(fetch.credit), UInt64(Limits.creditMax), field: "fetch.credit")
      self = .fetch(
        ChunkName(
          id: try name(fetch.messageID, field: "fetch.message_id"),
          index: try chunkIndex(fetch.firstChunk, field: "fetch.first_chunk")),
        credit: fetch.credit)
    case .acknowledge(let acknowledge):
      self = .acknowledge(
        MailboxEntry(
          position: acknowledge.position,
          id: try name(acknowledge.messageID, field: "acknowledge.message_id")))
    case nil:
      throw .invalid(field: "request.kind")
    }
  }
}

extension DepositOffer {
  init(_ wire: WireDeposit) throws(FormatError) {
    id = try name(wire.messageID, field: "deposit.message_id")
    mailboxes = try distinctMailboxes(wire.mailboxes, field: "deposit.mailboxes")
    guard !mailboxes.isEmpty else { throw .invalid(field: "deposit.mailboxes") }
    size = try SealedSize(checking: wire.chunkCount, wire.byteCount)
    slot = wire.slot.isEmpty ? nil : try name(wire.slot, field: "deposit.slot")
  }
}

/// Each once, and no more than a message has recipients.
func distinctMailboxes(_ list: [Data], field: String) throws(FormatError) -> [Mailbox] {
  try requireLimit(list.count, Limits.recipientCountMax, field: field)
  var mailboxes: [Mailbox] = []
  for data in list { mailboxes.append(try name(data, field: field)) }
  guard Set(mailboxes).count == mailboxes.count else { throw .invalid(field: field) }
  return mailboxes
}

extension ChunkName {
  var wire: WireChunk {
    var wire = WireChunk()
    wire.messageID = Data(id.bytes)
    wire.index = index
    return wire
  }

  init(_ wire: WireChunk) throws(FormatError) {
    id = try name(wire.messageID, field: "chunk.message_id")
    index = try chunkIndex(wire.index, field: "chunk.index")
  }
}
