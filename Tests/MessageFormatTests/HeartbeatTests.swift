import GitModel
import MessageFormat
import Testing

@Suite struct HeartbeatTests {
  private static let fields = Samples.heartbeatFields
  private static let head = Samples.headFields

  @Test func `encodes every field under its number`() throws {
    #expect(try Samples.heartbeat.encoded() == Self.fields.encoded)
    #expect(try Heartbeat(decoding: Self.fields.encoded) == Samples.heartbeat)
  }

  private static func streams(_ count: Int, nameByteCount: Int) throws -> [Heartbeat.Stream] {
    let ref = "refs/heads/main"
    return try (0..<count).map { number in
      let padding = String(repeating: "r", count: nameByteCount - ref.utf8.count - 7)
      return Heartbeat.Stream(
        try stream(padding + String("\(10_000_000 + number)".dropFirst()), ref),
        sequence: Limits.numberMax, revision: try object(4), tree: try object(5))
    }
  }

  /// So that each is one chunk, and one answer to all of it as well.
  @Test func `the largest heartbeat, and the largest report on it, fit into a statement`() throws {
    let count = Limits.heartbeatStreamCountMax
    let streams = try Self.streams(count, nameByteCount: Limits.heartbeatNameByteCountMax / count)
    #expect(Heartbeat.parts(of: streams).map(\.count) == [count])
    let recipients = try (0..<Limits.recipientCountMax).map { number in
      try #require(Mailbox([UInt8(number / 256), UInt8(number % 256)] + name(0).dropFirst(2)))
    }
    let time = Timestamp(milliseconds: Limits.numberMax)
    let heartbeat = Heartbeat(
      signer: try mailbox(1), recipients: recipients, counter: Limits.numberMax, part: 999,
      createdAt: time, expiresAt: time, streams: streams)
    let report = Report(
      applier: try mailbox(1), signer: try mailbox(2), counter: Limits.numberMax,
      receivedAt: time, finishedAt: time,
      streams: try streams.enumerated().map { number, stream in
        Report.Stream(
          stream.name, sequence: stream.sequence,
          standing: number % 2 == 0
            ? .current(try snapshot(4, 5))
            : .blocked(
              .checkoutUnreadable, detail: String(repeating: "d", count: 900),
              revision: try object(4)))
      })
    for (body, type) in [
      (heartbeat.encoded(), Heartbeat.statementType), (report.encoded(), Report.statementType),
    ] {
      let statement = Statement(
        type: type, body: body,
        signatures: [.init(signer: try mailbox(1), bytes: [UInt8](repeating: 2, count: 64))])
      #expect(statement.encoded().count <= Limits.statementByteCountMax)
    }
    #expect(try Heartbeat(decoding: heartbeat.encoded()) == heartbeat)
    #expect(try Report(decoding: report.encoded()).streams.count == count)
  }

  @Test func `streams that do not fit into one heartbeat become parts`() throws {
    let many = try Self.streams(2_500, nameByteCount: 40)
    #expect(Heartbeat.parts(of: many).map(\.count) == [850, 850, 800])
    let long = try Self.streams(120, nameByteCount: 1_000)
    let parts = Heartbeat.parts(of: long)
    #expect(parts.map(\.count) == [34, 34, 34, 18])
    #expect(parts.flatMap { $0 } == long)
    #expect(Heartbeat.parts(of: []).isEmpty)
  }

  @Test(arguments: [
    Spoilt("version 2", fields.with(1, .number(1, 2)), .unknownVersion(2, of: "heartbeat")),
    Spoilt(
      "no signer", fields.with(2),
      .wrongLength(field: "heartbeat.signer", expected: 32, actual: 0)),
    Spoilt("no recipient", fields.with(3), .invalid(field: "heartbeat.recipients")),
    Spoilt(
      "recipients in the other order",
      fields.with(3, .bytes(3, name(3)), .bytes(3, name(2))),
      .notCanonical("heartbeat.recipients")),
    Spoilt("no counter", fields.with(4), .invalid(field: "heartbeat.counter")),
    Spoilt(
      "counter 2^53", fields.with(4, .number(4, 1 << 53)),
      .overLimit(field: "heartbeat.counter", limit: Limits.numberMax, actual: 1 << 53)),
    Spoilt(
      "part 1000", fields.with(5, .number(5, 1_000)),
      .overLimit(field: "heartbeat.part", limit: 999, actual: 1_000)),
    Spoilt(
      "expires in 2^53", fields.with(7, .number(7, 1 << 53)),
      .overLimit(field: "heartbeat.expires_at", limit: Limits.numberMax, actual: 1 << 53)),
    Spoilt("no stream", fields.with(8), .invalid(field: "heartbeat.streams")),
    Spoilt(
      "one stream twice", fields.with(8, .fields(8, head), .fields(8, head)),
      .notCanonical("heartbeat.streams")),
    Spoilt(
      "streams in the other order",
      fields.with(8, .fields(8, head.with(2, .text(2, "refs/heads/next"))), .fields(8, head)),
      .notCanonical("heartbeat.streams")),
    Spoilt(
      "no remote", fields.with(8, .fields(8, head.with(1))),
      .invalid(field: "heartbeat.streams.remote")),
    Spoilt(
      "a tag", fields.with(8, .fields(8, head.with(2, .text(2, "refs/tags/v1")))),
      .invalid(field: "heartbeat.streams.ref")),
    Spoilt(
      "no sequence", fields.with(8, .fields(8, head.with(3))),
      .invalid(field: "heartbeat.streams.sequence")),
    Spoilt(
      "no revision", fields.with(8, .fields(8, head.with(4))),
      .invalid(field: "heartbeat.streams.revision")),
    Spoilt(
      "revision zero", fields.with(8, .fields(8, head.with(4, .bytes(4, id(0))))),
      .invalid(field: "heartbeat.streams.revision")),
    Spoilt(
      "tree zero", fields.with(8, .fields(8, head.with(5, .bytes(5, id(0))))),
      .invalid(field: "heartbeat.streams.tree")),
    Spoilt(
      "short tree", fields.with(8, .fields(8, head.with(5, .bytes(5, [1, 2])))),
      .invalid(field: "heartbeat.streams.tree")),
  ]) func `refuses`(spoilt: Spoilt) {
    #expect(throws: spoilt.error) { try Heartbeat(decoding: spoilt.fields.encoded) }
  }

  @Test func `refuses more streams than an answer has room for`() throws {
    let count = Limits.heartbeatStreamCountMax + 1
    let heartbeat = { streams in
      Heartbeat(
        signer: try mailbox(1), recipients: [try mailbox(2)], counter: 1,
        createdAt: Timestamp(milliseconds: 1), expiresAt: Timestamp(milliseconds: 2),
        streams: streams
      ).encoded()
    }
    let many = try heartbeat(try Self.streams(count, nameByteCount: 30))
    #expect(
      throws: FormatError.overLimit(field: "heartbeat.streams", limit: 1_000, actual: 1_001)
    ) { try Heartbeat(decoding: many) }
    let long = try heartbeat(try Self.streams(35, nameByteCount: 1_000))
    #expect(
      throws: FormatError.overLimit(
        field: "heartbeat.streams.names", limit: 34_000, actual: 35_000)
    ) { try Heartbeat(decoding: long) }
  }
}
