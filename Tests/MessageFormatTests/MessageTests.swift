import GitModel
import MessageFormat
import Testing

/// A change of a structure's fields, and how it is refused.
struct Spoilt: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let fields: [Field]
  let error: FormatError

  init(_ what: String, _ fields: [Field], _ error: FormatError) {
    testDescription = what
    self.fields = fields
    self.error = error
  }
}

@Suite struct MessageTests {
  private static let fields = Samples.messageFields

  private static func payload(_ number: Int, _ others: Field...) -> [Field] {
    var payload = Samples.payloadFields.with(number)
    payload.insert(contentsOf: others, at: min(number - 1, payload.count))
    return fields.with(15, .fields(15, payload))
  }

  @Test func `encodes every field under its number`() throws {
    #expect(try Samples.message.encoded() == Self.fields.encoded)
    #expect(try Message(decoding: Self.fields.encoded) == Samples.message)
  }

  @Test func `carries snapshot without before previous and commit`() throws {
    var message = try Samples.message
    (message.before, message.descends) = (nil, false)
    message.previous = nil
    message.sequence = 1
    message.commit = []
    message.payload = PayloadDescription(
      kind: .pack, digest: try digest(1), size: 1, inflatedSize: 64 << 30)
    let decoded = try Message(decoding: message.encoded())
    #expect(decoded == message)
    #expect(decoded.before == nil && decoded.previous == nil && decoded.payload?.kind == .pack)
  }

  @Test func `has no payload where the files are the same`() throws {
    var message = try Samples.message
    message.before = Snapshot(revision: try object(4), tree: try object(7))
    message.payload = nil
    let fields = Self.fields.with(7, .bytes(7, id(7))).with(15)
    #expect(message.encoded() == fields.encoded)
    #expect(try Message(decoding: fields.encoded) == message)
  }

  @Test(arguments: [(0, 0), (1, 41), (100_000, 4_100_000), (3, 64 << 30 - 1)])
  func `says how many large files stand behind the patch, also that there are none`(
    count: Int, size: UInt64
  ) throws {
    var message = try Samples.message
    message.payload = PayloadDescription(
      kind: .patch, digest: try digest(9), size: 131_056, inflatedSize: size + 1,
      largeFiles: LargeFilesDescription(count: count, size: size))
    var numbers: [Field] = []
    if count > 0 { numbers = [.number(1, UInt64(count)), .number(2, size)] }
    let payload = Samples.payloadFields.with(4, .number(4, size + 1)) + [.fields(5, numbers)]
    #expect(message.encoded() == Self.fields.with(15, .fields(15, payload)).encoded)
    #expect(try Message(decoding: message.encoded()) == message)
    #expect(message.payload?.contentSize == 1)
  }

  @Test func `the header of a large file is its SHA-256 and its size`() throws {
    let digest = (0..<32).map { UInt8($0) }
    let pointer = try #require(LargeFilePointer(digest: digest, byteCount: 0x0102_0304))
    let header = digest + [0, 0, 0, 0, 1, 2, 3, 4]
    #expect(LargeFileHeader.encode(pointer) == header)
    #expect(LargeFileHeader.decode(header) == pointer)
    for size: [UInt8] in [
      [0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 64, 0, 0, 0, 0, 1], [255, 0, 0, 0, 0, 0, 0, 0],
    ] {
      #expect(LargeFileHeader.decode(digest + size) == nil)
    }
  }

  @Test func `takes every limit itself`() throws {
    var message = try Samples.message
    message.recipients = try (0..<Limits.recipientCountMax).map { number in
      let bytes = name(0).dropLast(2) + [UInt8(number >> 8), UInt8(number & 0xff)]
      return try #require(Mailbox(Array(bytes)))
    }
    message.stream = try stream(
      String(repeating: "r", count: Limits.remoteByteCountMax),
      "refs/heads/" + String(repeating: "b", count: 244))
    message.commit = [UInt8](repeating: 7, count: Limits.commitByteCountMax)
    message.sequence = Limits.numberMax
    message.createdAt = Timestamp(milliseconds: Limits.numberMax)
    message.expiresAt = Timestamp(milliseconds: Limits.numberMax)
    let bytes = message.encoded()
    #expect(try Message(decoding: bytes) == message)
    let statement = Statement(
      type: Message.statementType, body: bytes,
      signatures: try (0..<Limits.signatureCountMax).map { number in
        .init(
          signer: try mailbox(UInt8(number)),
          bytes: [UInt8](repeating: 1, count: Limits.signatureByteCount))
      })
    #expect(try Statement(decoding: statement.encoded()) == statement)
  }

  @Test(arguments: names + revisions + numbers + payloads) func `refuses`(spoilt: Spoilt) {
    #expect(throws: spoilt.error) { try Message(decoding: spoilt.fields.encoded) }
  }

  private static let names: [Spoilt] = [
    Spoilt(
      "signer of 31 bytes", fields.with(2, .bytes(2, [UInt8](repeating: 1, count: 31))),
      .wrongLength(field: "message.signer", expected: 32, actual: 31)),
    Spoilt(
      "no signer", fields.with(2),
      .wrongLength(field: "message.signer", expected: 32, actual: 0)),
    Spoilt("no recipient", fields.with(3), .invalid(field: "message.recipients")),
    Spoilt(
      "recipients out of order", fields.with(3, .bytes(3, name(3)), .bytes(3, name(2))),
      .notCanonical("message.recipients")),
    Spoilt(
      "a recipient twice", fields.with(3, .bytes(3, name(3)), .bytes(3, name(3))),
      .notCanonical("message.recipients")),
    Spoilt(
      "recipient of 33 bytes", fields.with(3, .bytes(3, name(3) + [0])),
      .wrongLength(field: "message.recipients", expected: 32, actual: 33)),
    Spoilt(
      "1,001 recipients", manyRecipients,
      .overLimit(field: "message.recipients", limit: 1_000, actual: 1_001)),
    Spoilt("no remote", fields.with(4), .invalid(field: "message.remote")),
    Spoilt(
      "remote of 1,025 bytes", fields.with(4, .text(4, String(repeating: "r", count: 1_025))),
      .overLimit(field: "message.remote", limit: 1_024, actual: 1_025)),
    Spoilt(
      "remote that sets a terminal's colour", fields.with(4, .text(4, "a\u{1b}[31mb")),
      .invalid(field: "message.remote")),
    Spoilt("no ref", fields.with(5), .invalid(field: "message.ref")),
    Spoilt("a tag", fields.with(5, .text(5, "refs/tags/v1")), .invalid(field: "message.ref")),
  ]

  private static var manyRecipients: [Field] {
    let recipients = (0...1_000).map { number in
      Field.bytes(3, name(0).dropLast(2) + [UInt8(number >> 8), UInt8(number & 0xff)])
    }
    return fields[..<2] + recipients + fields[4...]
  }

  private static let revisions: [Spoilt] = [
    Spoilt("before without its tree", fields.with(7), .invalid(field: "message.before_tree")),
    Spoilt("before's tree alone", fields.with(6), .invalid(field: "message.before")),
    Spoilt("before zero", fields.with(6, .bytes(6, id(0))), .invalid(field: "message.before")),
    Spoilt(
      "before of 32 bytes", fields.with(6, .bytes(6, name(1))), .invalid(field: "message.before")),
    Spoilt("no after", fields.with(8).with(9), .invalid(field: "message.after")),
    Spoilt("after without its tree", fields.with(9), .invalid(field: "message.after_tree")),
    Spoilt("after zero", fields.with(8, .bytes(8, id(0))), .invalid(field: "message.after")),
    Spoilt(
      "after's tree zero", fields.with(9, .bytes(9, id(0))), .invalid(field: "message.after_tree")),
    Spoilt(
      "ref of 256 bytes",
      fields.with(5, .text(5, "refs/heads/" + String(repeating: "b", count: 245))),
      .overLimit(field: "message.ref", limit: 255, actual: 256)),
    Spoilt(
      "commit of 65,537 bytes",
      fields.with(10, .bytes(10, [UInt8](repeating: 1, count: 65_537))),
      .overLimit(field: "message.commit", limit: 65_536, actual: 65_537)),
    Spoilt(
      "131,056 bytes", fields.with(10, .bytes(10, [UInt8](repeating: 1, count: 130_712))),
      .overLimit(
        field: "message", limit: 131_055,
        actual: UInt64(
          fields.with(10, .bytes(10, [UInt8](repeating: 1, count: 130_712))).encoded.count))),
  ]

  private static let numbers: [Spoilt] = [
    Spoilt("no sequence", fields.with(11), .invalid(field: "message.sequence")),
    Spoilt(
      "sequence of 2^53", fields.with(11, .number(11, 1 << 53)),
      .overLimit(field: "message.sequence", limit: Limits.numberMax, actual: 1 << 53)),
    Spoilt(
      "sequence of 2^64 - 1", fields.with(11, .number(11, .max)),
      .overLimit(field: "message.sequence", limit: Limits.numberMax, actual: .max)),
    Spoilt(
      "first with a previous", fields.with(11, .number(11, 1)), .invalid(field: "message.previous")),
    Spoilt(
      "previous of 20 bytes", fields.with(12, .bytes(12, id(1))),
      .wrongLength(field: "message.previous", expected: 32, actual: 20)),
    Spoilt(
      "created in 2^64 - 1", fields.with(13, .number(13, .max)),
      .overLimit(field: "message.created_at", limit: Limits.numberMax, actual: .max)),
    Spoilt(
      "expires in 2^64 - 1", fields.with(14, .number(14, .max)),
      .overLimit(field: "message.expires_at", limit: Limits.numberMax, actual: .max)),
  ]

  private static let sealedMax: UInt64 = 524_286 * 131_055

  private static let payloads: [Spoilt] = [
    Spoilt(
      "large files of fewer bytes than their headers",
      payload(5, .fields(5, [.number(1, 1), .number(2, 40)])),
      .invalid(field: "message.payload.large_files.size")),
    Spoilt(
      "bytes of no large file", payload(5, .fields(5, [.number(2, 41)])),
      .invalid(field: "message.payload.large_files.size")),
    Spoilt(
      "large files beyond the payload",
      payload(5, .fields(5, [.number(1, 1), .number(2, 8 << 20 + 1)])),
      .invalid(field: "message.payload.large_files.size")),
    Spoilt(
      "too many large files",
      payload(5, .fields(5, [.number(1, 100_001), .number(2, 8 << 20)])),
      .overLimit(
        field: "message.payload.large_files.count", limit: 100_000, actual: 100_001)),
    Spoilt("no payload, another tree", fields.with(15), .invalid(field: "message.payload")),
    Spoilt(
      "no payload, no commit", fields.with(7, .bytes(7, id(7))).with(10).with(15),
      .invalid(field: "message.payload")),
    Spoilt("no kind", payload(1), .invalid(field: "message.payload.kind")),
    Spoilt("kind 4", payload(1, .number(1, 4)), .invalid(field: "message.payload.kind")),
    Spoilt(
      "replacement of nothing", payload(1, .number(1, 3)).with(6).with(7),
      .invalid(field: "message.payload.kind")),
    Spoilt("kind -1", payload(1, .number(1, .max)), .invalid(field: "message.payload.kind")),
    Spoilt(
      "no digest", payload(2),
      .wrongLength(field: "message.payload.digest", expected: 32, actual: 0)),
    Spoilt(
      "descends from nothing", fields.with(6).with(7), .invalid(field: "message.descends")),
    Spoilt("no size", payload(3), .invalid(field: "message.payload.size")),
    Spoilt(
      "more than all chunks hold", payload(3, .number(3, sealedMax + 1)),
      .overLimit(field: "message.payload.size", limit: sealedMax, actual: sealedMax + 1)),
    Spoilt(
      "a patch that inflates too far", payload(4, .number(4, 8 << 20 + 1)),
      .overLimit(
        field: "message.payload.inflated_size", limit: 8 << 20, actual: 8 << 20 + 1)),
    Spoilt(
      "a pack that inflates too far",
      fields.with(
        15,
        .fields(
          15,
          [.number(1, 2), .bytes(2, name(1)), .number(3, 1), .number(4, 64 << 30 + 1)])),
      .overLimit(
        field: "message.payload.inflated_size", limit: 64 << 30, actual: 64 << 30 + 1)),
  ]

  @Test(arguments: [
    (1, 1), (131_055, 1), (131_056, 2), (262_110, 2), (262_111, 3),
    (524_286 * 131_055, 524_286),
  ]) func `counts chunks of payload`(size: UInt64, count: UInt32) throws {
    let payload = PayloadDescription(
      kind: .pack, digest: try digest(1), size: size, inflatedSize: 1)
    #expect(payload.chunkCount == count)
  }
}
