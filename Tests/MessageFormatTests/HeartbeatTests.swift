import MessageFormat
import Testing

@Suite struct HeartbeatTests {
  private static let fields = Samples.heartbeatFields

  @Test func encodesEveryFieldUnderItsNumber() throws {
    #expect(try Samples.heartbeat.encoded() == Self.fields.encoded)
    #expect(try Heartbeat(decoding: Self.fields.encoded) == Samples.heartbeat)
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
    Spoilt("no remote", fields.with(4), .invalid(field: "heartbeat.remote")),
    Spoilt(
      "a tag", fields.with(5, .text(5, "refs/tags/v1")), .invalid(field: "heartbeat.ref")),
    Spoilt("no sequence", fields.with(6), .invalid(field: "heartbeat.sequence")),
    Spoilt("no revision", fields.with(7), .invalid(field: "heartbeat.revision")),
    Spoilt(
      "revision zero", fields.with(7, .bytes(7, id(0))), .invalid(field: "heartbeat.revision")),
    Spoilt(
      "expires in 2^53", fields.with(9, .number(9, 1 << 53)),
      .overLimit(field: "heartbeat.expires_at", limit: Limits.numberMax, actual: 1 << 53)),
  ]) func refuses(spoilt: Spoilt) {
    #expect(throws: spoilt.error) { try Heartbeat(decoding: spoilt.fields.encoded) }
  }
}
