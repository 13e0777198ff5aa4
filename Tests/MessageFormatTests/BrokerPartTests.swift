import MessageFormat
import Testing

@Suite struct BrokerPartTests {
  private static let id = Array(repeating: UInt8(7), count: 32)

  /// As long as a broker's message is at most.
  private static func message(chunkByteCount: Int = Limits.chunkByteCountMax) throws -> [UInt8] {
    let size = SealedSize(chunkCount: 9, byteCount: 1_000_000)
    return BrokerMessage(
      id: try #require(MessageID(id)), size: size, slot: nil, first: 5,
      chunks: [[UInt8](repeating: 3, count: chunkByteCount)]
    ).encoded()
  }

  @Test(arguments: [16_384, 20_000, 47_586, 65_536, 131_000])
  func `parts are few none is too long and together they are the message`(limit: Int) throws {
    let message = try Self.message()
    let encoded = BrokerPart.split(message, byteCountMax: limit)
    #expect(encoded.allSatisfy { $0.count <= limit })
    #expect(encoded.count == (message.count + limit - 51) / (limit - 50))
    let parts = try encoded.map { try #require(try BrokerPart(decoding: $0)) }
    #expect(parts.flatMap(\.bytes) == message)
    #expect(parts.map(\.number) == Array(0..<parts.count))
    #expect(Set(parts.map(\.whole)).count == 1)
    let whole = parts[0].whole
    #expect(whole.id.bytes == Self.id && whole.first == 5)
    #expect(whole.byteCount == message.count && whole.partCount == parts.count)
  }

  @Test func `a message that fits is no part`() throws {
    let message = try Self.message(chunkByteCount: 100)
    #expect(BrokerPart.split(message, byteCountMax: 16_384) == [message])
    #expect(try BrokerPart(decoding: message) == nil)
    #expect(try BrokerPart(decoding: []) == nil)
    #expect(throws: FormatError.self) {
      try BrokerMessage(decoding: BrokerPart.split(Self.message(), byteCountMax: 16_384)[0])
    }
  }

  /// Where each field begins: version, length, number, count.
  @Test(arguments: [
    (6, [UInt8(2)]), (44, [0, 2, 1, 1]), (44, [0, 0, 0, 0]), (48, [9]), (49, [0]), (49, [1]),
    (49, [10]),
  ])
  func `a part whose fields are at odds is refused`(offset: Int, bytes: [UInt8]) throws {
    var part = BrokerPart.split(try Self.message(), byteCountMax: 47_586)[1]
    part.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    #expect(throws: FormatError.self) { try BrokerPart(decoding: part) }
  }

  @Test func `a part that was cut anywhere is refused`() throws {
    let part = BrokerPart.split(try Self.message(), byteCountMax: 16_384)[0]
    for count in Array(8..<60) + [part.count - 1] {
      #expect(throws: FormatError.self) { try BrokerPart(decoding: Array(part.prefix(count))) }
    }
    #expect(throws: FormatError.self) { try BrokerPart(decoding: part + [1]) }
  }
}
