/// A part of a broker's message, for a broker that takes less at once (docs/message-format.md, "Parts").
package struct BrokerPart: Hashable, Sendable {
  /// Which message it is a part of.
  package struct Whole: Hashable, Sendable {
    package let id: MessageID
    /// The number of the message's first chunk.
    package let first: UInt32
    package let byteCount: Int
    package let partCount: Int
  }

  package let whole: Whole
  /// The first part's is 0.
  package let number: Int
  package let bytes: [UInt8]

  private static let form: UInt8 = 2
  /// What stands in front of a part's bytes.
  package static let headByteCount = 6 + 1 + 1 + nameByteCount + 4 + 4 + 1 + 1

  /// What to hand over in place of `message`, which is an encoded `BrokerMessage`: itself where it is no longer than
  /// `byteCountMax`, which is 16 KiB or more.
  package static func split(_ message: [UInt8], byteCountMax: Int) -> [[UInt8]] {
    guard message.count > byteCountMax else { return [message] }
    let room = byteCountMax - headByteCount
    let count = (message.count + room - 1) / room
    precondition(room > 0 && count <= Limits.brokerPartCountMax)
    let size = (message.count + count - 1) / count
    // Both heads begin alike: mark, version, form, message id, first chunk.
    let end = BrokerMessage.mark.count + 2 + nameByteCount + 4
    return (0..<count).map { number in
      var part = Array(message[..<end])
      part[BrokerMessage.mark.count + 1] = form
      part += UInt32(message.count).bigEndianBytes + [UInt8(number), UInt8(count)]
      return part + message[number * size..<min((number + 1) * size, message.count)]
    }
  }

  /// `nil`: it is none; perhaps a whole message.
  package init?(decoding bytes: [UInt8]) throws(FormatError) {
    let mark = BrokerMessage.mark
    guard bytes.count > mark.count + 1, bytes.starts(with: mark), bytes[mark.count + 1] == Self.form
    else { return nil }
    guard bytes.count <= Limits.brokerMessageByteCountMax else {
      throw .overLimit(
        field: "broker part", limit: UInt64(Limits.brokerMessageByteCountMax),
        actual: UInt64(bytes.count))
    }
    var rest = bytes.dropFirst(mark.count)
    try requireVersion(UInt32(try rest.number(of: 1)), of: "broker part")
    rest = rest.dropFirst()
    guard let id = MessageID(Array(try rest.take(nameByteCount))) else {
      throw .invalid(field: "broker part.message_id")
    }
    let (first, byteCount) = (UInt32(try rest.number(of: 4)), Int(try rest.number(of: 4)))
    let (number, count) = (Int(try rest.number(of: 1)), Int(try rest.number(of: 1)))
    let size = (byteCount + max(count, 1) - 1) / max(count, 1)
    guard byteCount <= Limits.brokerMessageByteCountMax,
      (2...Limits.brokerPartCountMax).contains(count), number < count,
      rest.count == min((number + 1) * size, byteCount) - min(number * size, byteCount),
      !rest.isEmpty
    else { throw .invalid(field: "broker part") }
    whole = Whole(id: id, first: first, byteCount: byteCount, partCount: count)
    (self.number, self.bytes) = (number, Array(rest))
  }
}
