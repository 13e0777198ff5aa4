import MessageFormat
import Testing

/// Bytes as docs/message-format.md has them, "Broker messages".
@Suite struct BrokerMessageTests {
  private static let id = [UInt8](repeating: 0x11, count: 32)
  private static let slot = [UInt8](repeating: 0x22, count: 32)
  private static let front = Array("distro".utf8) + [1, 0] + id
  /// Five chunks of 393,221 bytes together: header, statement, two full ones, and one more byte.
  private static let place: [UInt8] = [0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0, 0, 0, 6, 0, 5]

  private func sample(slot: Slot? = nil) throws -> BrokerMessage {
    BrokerMessage(
      id: try #require(MessageID(Self.id)), size: SealedSize(chunkCount: 5, byteCount: 393_221),
      slot: slot, first: 4, chunks: [[7, 8]])
  }

  @Test func `is a mark a form where it belongs and chunks with their lengths`() throws {
    let bytes = Self.front + Self.place + [0, 0, 0, 2, 7, 8]
    #expect(try sample().encoded() == bytes)
    #expect(try BrokerMessage(decoding: bytes) == sample())
  }

  @Test func `names its slot where it has one`() throws {
    let slot: Slot = try #require(Slot(Self.slot))
    let message = try sample(slot: slot)
    var bytes = Self.front + Self.place + Self.slot + [0, 0, 0, 2, 7, 8]
    bytes[7] = 1
    #expect(message.encoded() == bytes)
    #expect(try BrokerMessage(decoding: bytes) == message)
  }

  @Test func `holds several small chunks and one that is full`() throws {
    let size = SealedSize(chunkCount: 3, byteCount: 600)
    for chunks in [[[1], [2, 2], [3]], [[UInt8](repeating: 9, count: Limits.chunkByteCountMax)]] {
      let message = BrokerMessage(
        id: try #require(MessageID(Self.id)), size: size, slot: nil, first: 0, chunks: chunks)
      #expect(message.encoded().count <= Limits.brokerMessageByteCountMax)
      #expect(try BrokerMessage(decoding: message.encoded()) == message)
    }
  }

  @Test func `refuses everything else`() throws {
    let bytes = Self.front + Self.place + [0, 0, 0, 2, 7, 8]
    func refuses(_ index: Int, _ value: UInt8) {
      var changed = bytes
      changed[index] = value
      #expect(throws: FormatError.self, "\(index)") { try BrokerMessage(decoding: changed) }
    }
    // Mark, version, form, first chunk, count, size, and a length of 0, 3 and far too many.
    for (index, value) in [
      (0, 0), (6, 2), (7, 1), (7, 2), (43, 5), (40, 1), (47, 1), (44, 1), (53, 1), (48, 1),
      (59, 0), (59, 3), (56, 255),
    ] { refuses(index, UInt8(value)) }
    for count in bytes.indices {
      #expect(throws: FormatError.self) { try BrokerMessage(decoding: Array(bytes.prefix(count))) }
    }
    #expect(throws: FormatError.self) { try BrokerMessage(decoding: bytes + [0]) }
    // A chunk behind the last.
    #expect(throws: FormatError.self) { try BrokerMessage(decoding: bytes + [0, 0, 0, 1, 9]) }
    let long = [UInt8](repeating: 0, count: Limits.brokerMessageByteCountMax + 1)
    #expect(throws: FormatError.self) { try BrokerMessage(decoding: long) }
  }
}
