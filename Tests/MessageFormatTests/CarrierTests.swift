import MessageFormat
import Testing

@Suite struct CarrierTests {
  /// With the fields of its documented form.
  private func expect(
    _ request: CarrierRequest, _ kind: Int, _ fields: [Field],
    at location: SourceLocation = #_sourceLocation
  ) throws {
    let bytes = Samples.carrier(kind, fields).encoded
    #expect(request.encoded() == bytes, sourceLocation: location)
    #expect(try CarrierRequest(decoding: bytes) == request, sourceLocation: location)
  }

  private func expect(
    _ reply: CarrierReply, _ kind: Int, _ fields: [Field],
    at location: SourceLocation = #_sourceLocation
  ) throws {
    let bytes = Samples.carrier(kind, fields).encoded
    #expect(reply.encoded() == bytes, sourceLocation: location)
    #expect(try CarrierReply(decoding: bytes) == reply, sourceLocation: location)
  }

  @Test func `encodes every request under its number`() throws {
    let id = try messageID(1)
    let size = SealedSize(chunkCount: 5, byteCount: 300_000)
    try expect(
      .deposit(DepositOffer(id: id, mailboxes: [try mailbox(3), try mailbox(2)], size: size)), 2,
      [
        .bytes(1, name(1)), .bytes(2, name(3)), .bytes(2, name(2)), .number(3, 5),
        .number(4, 300_000),
      ])
    try expect(
      .deposit(
        DepositOffer(id: id, mailboxes: [try mailbox(2)], size: size, slot: try slot(4))), 2,
      [
        .bytes(1, name(1)), .bytes(2, name(2)), .number(3, 5), .number(4, 300_000),
        .bytes(5, name(4)),
      ])
    try expect(CarrierRequest.chunk(ChunkName(id: id, index: 0)), 3, [.bytes(1, name(1))])
    try expect(
      .collect(after: 9, credit: 32, waitMilliseconds: 60_000), 4,
      [
        .number(1, 9), .number(2, 32), .number(3, 60_000),
      ])
    try expect(.collect(after: 0, credit: 0, waitMilliseconds: 0), 4, [])
    try expect(
      .fetch(ChunkName(id: id, index: 32), credit: 16), 5,
      [
        .bytes(1, name(1)), .number(2, 32), .number(3, 16),
      ])
    try expect(
      .acknowledge(MailboxEntry(position: 9, id: id)), 6,
      [
        .number(1, 9), .bytes(2, name(1)),
      ])
  }

  @Test func `encodes every reply under its number`() throws {
    let id = try messageID(1)
    let entry = MailboxEntry(position: 9, id: id)
    try expect(
      .proceed(ChunkName(id: id, index: 16), credit: 32), 2,
      [
        .bytes(1, name(1)), .number(2, 16), .number(3, 32),
      ])
    try expect(.stored(id), 3, [.bytes(1, name(1))])
    try expect(.refused(nil, .malformed, mailboxes: [], detail: ""), 4, [.text(2, "malformed")])
    try expect(
      .refused(id, .overQuota, mailboxes: [], detail: "why"), 4,
      [
        .bytes(1, name(1)), .text(2, "over-quota"), .text(3, "why"),
      ])
    try expect(
      .refused(id, .unknownMailbox, mailboxes: [try mailbox(2), try mailbox(3)], detail: ""), 4,
      [
        .bytes(1, name(1)), .text(2, "unknown-mailbox"), .bytes(4, name(2)), .bytes(4, name(3)),
      ])
    try expect(
      .delivery(entry, SealedSize(chunkCount: 2, byteCount: 900), more: false), 5,
      [
        .number(1, 9), .bytes(2, name(1)), .number(3, 2), .number(4, 900),
      ])
    try expect(
      .delivery(entry, SealedSize(chunkCount: 2, byteCount: 900), more: true), 5,
      [
        .number(1, 9), .bytes(2, name(1)), .number(3, 2), .number(4, 900), .number(5, 1),
      ])
    try expect(
      CarrierReply.chunk(ChunkName(id: id, index: 1)), 6, [.bytes(1, name(1)), .number(2, 1)])
    try expect(.empty, 7, [])
    try expect(.acknowledged(entry), 8, [.number(1, 9), .bytes(2, name(1))])
  }

  @Test(arguments: CarrierRefusal.allCases) func `carries every refusal`(
    refusal: CarrierRefusal
  ) throws {
    let reply = CarrierReply.refused(try messageID(1), refusal, mailboxes: [], detail: "why")
    #expect(try CarrierReply(decoding: reply.encoded()) == reply)
  }

  private static let deposit: [Field] = [
    .bytes(1, name(1)), .bytes(2, name(2)), .number(3, 5), .number(4, 300_000),
  ]

  private static let manyMailboxes: [Field] = (0...1_000).map { number in
    .bytes(2, name(0).dropLast(2) + [UInt8(number >> 8), UInt8(number & 0xff)])
  }

  @Test(arguments: [
    Spoilt("no kind", [.number(1, 1)], .invalid(field: "request.kind")),
    Spoilt(
      "id of 20 bytes", Samples.carrier(2, deposit.with(1, .bytes(1, id(1)))),
      .wrongLength(field: "deposit.message_id", expected: 32, actual: 20)),
    Spoilt(
      "no mailbox", Samples.carrier(2, deposit.with(2)), .invalid(field: "deposit.mailboxes")),
    Spoilt(
      "a mailbox twice",
      Samples.carrier(2, deposit.with(2, .bytes(2, name(2)), .bytes(2, name(2)))),
      .invalid(field: "deposit.mailboxes")),
    Spoilt(
      "mailbox of 31 bytes",
      Samples.carrier(2, deposit.with(2, .bytes(2, [UInt8](repeating: 1, count: 31)))),
      .wrongLength(field: "deposit.mailboxes", expected: 32, actual: 31)),
    Spoilt(
      "1,001 mailboxes",
      Samples.carrier(2, [.bytes(1, name(1))] + manyMailboxes + deposit.suffix(2)),
      .overLimit(field: "deposit.mailboxes", limit: 1_000, actual: 1_001)),
    Spoilt(
      "one chunk", Samples.carrier(2, deposit.with(3, .number(3, 1))),
      .invalid(field: "chunk_count")),
    Spoilt(
      "chunks without bytes", Samples.carrier(2, deposit.with(4, .number(4, 4))),
      .invalid(field: "chunk_count")),
    Spoilt(
      "inner chunks that are not full",
      Samples.carrier(2, deposit.with(4, .number(4, 2 * 131_072 + 2))),
      .invalid(field: "chunk_count")),
    Spoilt(
      "too many chunks",
      Samples.carrier(2, deposit.with(3, .number(3, 524_289)).with(4, .number(4, 1 << 36))),
      .overLimit(field: "chunk_count", limit: 524_288, actual: 524_289)),
    Spoilt(
      "more bytes than chunks hold",
      Samples.carrier(2, deposit.with(4, .number(4, 5 * 131_072 + 1))),
      .overLimit(field: "byte_count", limit: 5 * 131_072, actual: 5 * 131_072 + 1)),
    Spoilt(
      "chunk behind the last possible",
      Samples.carrier(3, [.bytes(1, name(1)), .number(2, 524_288)]),
      .overLimit(field: "chunk.index", limit: 524_287, actual: 524_288)),
    Spoilt(
      "collect with credit 33", Samples.carrier(4, [.number(2, 33)]),
      .overLimit(field: "collect.credit", limit: 32, actual: 33)),
    Spoilt(
      "collect that waits for more than a minute", Samples.carrier(4, [.number(3, 60_001)]),
      .overLimit(field: "collect.wait_milliseconds", limit: 60_000, actual: 60_001)),
    Spoilt(
      "slot of 20 bytes", Samples.carrier(2, deposit + [.bytes(5, id(1))]),
      .wrongLength(field: "deposit.slot", expected: 32, actual: 20)),
    Spoilt(
      "fetch with credit 33", Samples.carrier(5, [.bytes(1, name(1)), .number(3, 33)]),
      .overLimit(field: "fetch.credit", limit: 32, actual: 33)),
    Spoilt(
      "fetch behind the last possible",
      Samples.carrier(5, [.bytes(1, name(1)), .number(2, 0xffff_ffff)]),
      .overLimit(field: "fetch.first_chunk", limit: 524_287, actual: 0xffff_ffff)),
    Spoilt(
      "acknowledge without id", Samples.carrier(6, [.number(1, 9)]),
      .wrongLength(field: "acknowledge.message_id", expected: 32, actual: 0)),
  ]) func `refuses request`(spoilt: Spoilt) {
    #expect(throws: spoilt.error) { try CarrierRequest(decoding: spoilt.fields.encoded) }
  }

  @Test(arguments: [
    Spoilt("no kind", [.number(1, 1)], .invalid(field: "reply.kind")),
    Spoilt(
      "continue with credit 33", Samples.carrier(2, [.bytes(1, name(1)), .number(3, 33)]),
      .overLimit(field: "continue.credit", limit: 32, actual: 33)),
    Spoilt(
      "continue behind the last possible",
      Samples.carrier(2, [.bytes(1, name(1)), .number(2, 0xffff_ffff), .number(3, 32)]),
      .overLimit(field: "continue.next_chunk", limit: 524_287, actual: 0xffff_ffff)),
    Spoilt(
      "stored without id", Samples.carrier(3, []),
      .wrongLength(field: "stored.message_id", expected: 32, actual: 0)),
    Spoilt(
      "unknown reason", Samples.carrier(4, [.text(2, "because")]),
      .invalid(field: "refused.reason")),
    Spoilt(
      "detail over limit",
      Samples.carrier(
        4, [.text(2, "fault"), .text(3, String(repeating: "d", count: 1_025))]),
      .overLimit(field: "refused.detail", limit: 1_024, actual: 1_025)),
    Spoilt(
      "detail of two lines", Samples.carrier(4, [.text(2, "fault"), .text(3, "a\nb")]),
      .invalid(field: "refused.detail")),
    Spoilt(
      "delivery of one chunk",
      Samples.carrier(
        5, [.number(1, 1), .bytes(2, name(1)), .number(3, 1), .number(4, 100)]),
      .invalid(field: "chunk_count")),
    Spoilt(
      "delivery of many small chunks",
      Samples.carrier(
        5, [.number(1, 1), .bytes(2, name(1)), .number(3, 200_000), .number(4, 262_144)]),
      .invalid(field: "chunk_count")),
    Spoilt(
      "acknowledged with id of 20 bytes", Samples.carrier(8, [.bytes(2, id(1))]),
      .wrongLength(field: "acknowledged.message_id", expected: 32, actual: 20)),
  ]) func `refuses reply`(spoilt: Spoilt) {
    #expect(throws: spoilt.error) { try CarrierReply(decoding: spoilt.fields.encoded) }
  }

  @Test func `refuses frames over the limit`() {
    let bytes = [UInt8](repeating: 0, count: Limits.carrierFrameByteCountMax + 1)
    #expect(throws: FormatError.overLimit(field: "request", limit: 65_536, actual: 65_537)) {
      try CarrierRequest(decoding: bytes)
    }
    #expect(throws: FormatError.overLimit(field: "reply", limit: 65_536, actual: 65_537)) {
      try CarrierReply(decoding: bytes)
    }
  }

  @Test(arguments: [
    (2, 2), (3, 3), (4, 131_075), (5, 262_147), (2, 262_144), (524_288, 524_288 * 131_072),
  ]) func `takes every possible size`(chunkCount: UInt32, byteCount: UInt64) throws {
    let size = try SealedSize(checking: chunkCount, byteCount)
    #expect(size == SealedSize(chunkCount: chunkCount, byteCount: byteCount))
  }
}
