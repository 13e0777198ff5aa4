import MessageFormat
import Testing

@Suite struct StatementTests {
  private static let fields = Samples.statementFields
  private static let signature = fields[2]

  @Test func `encodes every field under its number`() throws {
    #expect(try Samples.statement.encoded() == Self.fields.encoded)
    #expect(try Statement(decoding: Self.fields.encoded) == Samples.statement)
  }

  @Test(arguments: [
    Spoilt(
      "no signature", fields.with(3),
      .invalid(field: "statement.signatures")),
    Spoilt(
      "17 signatures", fields.with(3) + [Field](repeating: signature, count: 17),
      .overLimit(field: "statement.signatures", limit: 16, actual: 17)),
    Spoilt(
      "signature of 63 bytes",
      fields.with(
        3, .fields(3, [.bytes(1, name(1)), .bytes(2, [UInt8](repeating: 1, count: 63))])),
      .wrongLength(field: "statement.signature", expected: 64, actual: 63)),
    Spoilt(
      "signer of 20 bytes",
      fields.with(3, .fields(3, [.bytes(1, id(1)), .bytes(2, [UInt8](repeating: 1, count: 64))])),
      .wrongLength(field: "statement.signer", expected: 32, actual: 20)),
    Spoilt(
      "over the limit", fields.with(2, .bytes(2, [UInt8](repeating: 1, count: 131_055))),
      .overLimit(
        field: "statement", limit: 131_055,
        actual: UInt64(
          fields.with(2, .bytes(2, [UInt8](repeating: 1, count: 131_055))).encoded.count))),
  ]) func `refuses`(spoilt: Spoilt) {
    #expect(throws: spoilt.error) { try Statement(decoding: spoilt.fields.encoded) }
  }
}

@Suite struct SealedHeaderTests {
  private static let fields = Samples.headerFields

  @Test func `encodes every field under its number with recipients in order`() throws {
    #expect(try Samples.header.encoded() == Self.fields.encoded)
    #expect(try SealedHeader(decoding: Self.fields.encoded) == Samples.header)
  }

  @Test func `fits into one chunk with all recipients`() throws {
    let header = SealedHeader(
      streamHeader: [UInt8](repeating: 1, count: 24),
      recipients: try (0..<Limits.recipientCountMax).map { number in
        let bytes = name(0).dropLast(2) + [UInt8(number >> 8), UInt8(number & 0xff)]
        return .init(
          mailbox: try #require(Mailbox(Array(bytes))),
          wrappedKey: [UInt8](repeating: 1, count: 80))
      })
    #expect(header.encoded().count <= Limits.chunkByteCountMax)
    #expect(try SealedHeader(decoding: header.encoded()) == header)
  }

  @Test(arguments: [
    Spoilt(
      "stream header of 23 bytes", fields.with(2, .bytes(2, [UInt8](repeating: 1, count: 23))),
      .wrongLength(field: "header.stream_header", expected: 24, actual: 23)),
    Spoilt("no recipient", fields.with(3), .invalid(field: "header.recipients")),
    Spoilt(
      "recipients out of order",
      fields.with(3, Samples.recipient(3, 4), Samples.recipient(2, 5)),
      .notCanonical("header.recipients")),
    Spoilt(
      "a recipient twice", fields.with(3, Samples.recipient(3, 4), Samples.recipient(3, 5)),
      .notCanonical("header.recipients")),
    Spoilt(
      "mailbox of 20 bytes",
      fields.with(3, .fields(3, [.bytes(1, id(1)), .bytes(2, [UInt8](repeating: 1, count: 80))])),
      .wrongLength(field: "header.recipients.mailbox", expected: 32, actual: 20)),
    Spoilt(
      "wrapped key of 81 bytes", fields.with(3, Samples.recipient(1, 1, keyByteCount: 81)),
      .wrongLength(field: "header.recipients.wrapped_key", expected: 80, actual: 81)),
    Spoilt(
      "1,001 recipients",
      fields.with(3)
        + (0...1_000).map { number in
          .fields(
            3,
            [
              .bytes(1, name(0).dropLast(2) + [UInt8(number >> 8), UInt8(number & 0xff)]),
              .bytes(2, [UInt8](repeating: 1, count: 80)),
            ])
        }, .overLimit(field: "header.recipients", limit: 1_000, actual: 1_001)),
  ]) func `refuses`(spoilt: Spoilt) {
    #expect(throws: spoilt.error) { try SealedHeader(decoding: spoilt.fields.encoded) }
  }

  @Test func `refuses header larger than chunk`() {
    let bytes = [UInt8](repeating: 0, count: Limits.chunkByteCountMax + 1)
    #expect(throws: FormatError.overLimit(field: "header", limit: 131_072, actual: 131_073)) {
      try SealedHeader(decoding: bytes)
    }
  }
}
