/// One message of a broker: consecutive chunks of a sealed message, and where they belong (docs/message-format.md, "Broker
/// messages"). It tells a broker what a relay sees of a deposit.
package struct BrokerMessage: Hashable, Sendable {
  package let id: MessageID
  /// Of the whole sealed message.
  package let size: SealedSize
  package let slot: Slot?
  /// The number of the first of `chunks`.
  package let first: UInt32
  package let chunks: [[UInt8]]

  /// `chunks`: at least one, and none behind the message's last.
  package init(
    id: MessageID, size: SealedSize, slot: Slot?, first: UInt32, chunks: [[UInt8]]
  ) {
    precondition((1...Limits.brokerChunkCountMax).contains(chunks.count))
    (self.id, self.size, self.slot, self.first, self.chunks) = (id, size, slot, first, chunks)
  }

  /// The number behind its last chunk's.
  package var end: UInt32 { first + UInt32(chunks.count) }
}

extension BrokerMessage {
  /// By which a message of ours is told from others'.
  static let mark = Array("distro".utf8)

  package func encoded() -> [UInt8] {
    var bytes = Self.mark
    bytes.reserveCapacity(Limits.brokerMessageByteCountMax)
    bytes += [UInt8(formatVersion), slot == nil ? 0 : 1]
    bytes += id.bytes
    bytes += first.bigEndianBytes + size.chunkCount.bigEndianBytes + size.byteCount.bigEndianBytes
    bytes += slot?.bytes ?? []
    for chunk in chunks {
      bytes += UInt32(chunk.count).bigEndianBytes
      bytes += chunk
    }
    return bytes
  }

  package init(decoding bytes: [UInt8]) throws(FormatError) {
    guard bytes.count <= Limits.brokerMessageByteCountMax else {
      throw .overLimit(
        field: "broker message", limit: UInt64(Limits.brokerMessageByteCountMax),
        actual: UInt64(bytes.count))
    }
    var rest = bytes[...]
    guard try rest.take(Self.mark.count) == Self.mark[...] else {
      throw .notCanonical("broker message")
    }
    try requireVersion(UInt32(try rest.number(of: 1)), of: "broker message")
    let form = try rest.number(of: 1)
    guard form <= 1 else { throw .invalid(field: "broker message.form") }
    guard let id = MessageID(Array(try rest.take(nameByteCount))) else {
      throw .invalid(field: "broker message.message_id")
    }
    let first = UInt32(try rest.number(of: 4))
    let count = UInt32(try rest.number(of: 4))
    let size = try SealedSize(checking: count, try rest.number(of: 8))
    let slot = form == 1 ? Slot(Array(try rest.take(nameByteCount))) : nil
    var chunks: [[UInt8]] = []
    while !rest.isEmpty {
      let length = Int(try rest.number(of: 4))
      guard length > 0, chunks.count < Limits.brokerChunkCountMax else {
        throw .invalid(field: "broker message.chunks")
      }
      try requireLimit(length, Limits.chunkByteCountMax, field: "broker message.chunks")
      chunks.append(Array(try rest.take(length)))
    }
    guard !chunks.isEmpty, first < count, UInt32(chunks.count) <= count - first else {
      throw .invalid(field: "broker message.chunks")
    }
    self.init(id: id, size: size, slot: slot, first: first, chunks: chunks)
  }
}

extension FixedWidthInteger {
  var bigEndianBytes: [UInt8] {
    stride(from: Self.bitWidth - 8, through: 0, by: -8).map {
      UInt8(truncatingIfNeeded: self >> $0)
    }
  }
}

extension ArraySlice<UInt8> {
  mutating func take(_ count: Int) throws(FormatError) -> ArraySlice<UInt8> {
    guard self.count >= count else { throw .notCanonical("broker message") }
    defer { self = dropFirst(count) }
    return prefix(count)
  }

  /// The highest byte first.
  mutating func number(of byteCount: Int) throws(FormatError) -> UInt64 {
    try take(byteCount).reduce(0) { $0 << 8 | UInt64($1) }
  }
}
