import GitModel
import MessageFormat
import Testing

@Suite struct ReportTests {
  private static let fields = Samples.reportFields
  private static let current = Samples.currentFields
  private static let blocked = Samples.blockedFields

  private static func with(_ stream: [Field]) -> [Field] { fields.with(7, .fields(7, stream)) }

  @Test func `encodes every field under its number`() throws {
    #expect(try Samples.report.encoded() == Self.fields.encoded)
    #expect(try Report(decoding: Self.fields.encoded) == Samples.report)
  }

  @Test func `a checkout is behind at a revision, or at nothing`() throws {
    for (standing, fields) in [
      (Report.Standing.behind(try snapshot(4, 5)), Self.current.with(4, .number(4, 1))),
      (.behind(nil), Self.current.with(4, .number(4, 1)).with(5).with(6)),
    ] {
      let report = try Report(decoding: Self.with(fields).encoded)
      #expect(report.streams.map(\.standing) == [standing])
    }
  }

  @Test func `details share what room there is`() throws {
    let long = String(repeating: "d", count: 2_000)
    let sample = try Samples.report
    let report = Report(
      applier: sample.applier, signer: sample.signer, counter: 1, receivedAt: sample.receivedAt,
      finishedAt: sample.finishedAt,
      streams: try (0..<10).map { number in
        Report.Stream(
          try stream("shop", "refs/heads/\(number)"), sequence: 1,
          standing: .blocked(.other, detail: long, revision: nil))
      })
    let counts = try Report(decoding: report.encoded()).streams.map { stream in
      if case .blocked(_, let detail, _) = stream.standing { detail.utf8.count } else { -1 }
    }
    #expect(counts == [Int](repeating: 1_024, count: 8) + [0, 0])
  }

  @Test(arguments: [
    Spoilt("version 2", fields.with(1, .number(1, 2)), .unknownVersion(2, of: "report")),
    Spoilt(
      "no applier", fields.with(2), .wrongLength(field: "report.applier", expected: 32, actual: 0)),
    Spoilt(
      "no signer", fields.with(3), .wrongLength(field: "report.signer", expected: 32, actual: 0)),
    Spoilt("no counter", fields.with(4), .invalid(field: "report.counter")),
    Spoilt(
      "finished in 2^53", fields.with(6, .number(6, 1 << 53)),
      .overLimit(field: "report.finished_at", limit: Limits.numberMax, actual: 1 << 53)),
    Spoilt("no stream", fields.with(7), .invalid(field: "report.streams")),
    Spoilt(
      "one stream twice", fields.with(7, .fields(7, current), .fields(7, current)),
      .notCanonical("report.streams")),
    Spoilt("no remote", with(current.with(1)), .invalid(field: "report.streams.remote")),
    Spoilt(
      "sequence over limit", with(current.with(3, .number(3, .max))),
      .overLimit(field: "report.streams.sequence", limit: Limits.numberMax, actual: .max)),
    Spoilt("answered", with(current.with(4)), .invalid(field: "report.streams.standing")),
    Spoilt(
      "unknown standing", with(current.with(4, .number(4, 4))),
      .invalid(field: "report.streams.standing")),
    Spoilt(
      "current at nothing", with(current.with(5).with(6)),
      .invalid(field: "report.streams.revision")),
    Spoilt("revision without tree", with(current.with(6)), .invalid(field: "report.streams.tree")),
    Spoilt(
      "revision zero", with(current.with(5, .bytes(5, id(0)))),
      .invalid(field: "report.streams.revision")),
    Spoilt(
      "current with a reason", with(current + [.text(7, "other")]),
      .invalid(field: "report.streams.block")),
    Spoilt(
      "current with a detail", with(current + [.text(8, "x")]),
      .invalid(field: "report.streams.detail")),
    Spoilt(
      "blocked without a reason", with(blocked.with(7)), .invalid(field: "report.streams.block")),
    Spoilt(
      "blocked for an unknown reason", with(blocked.with(7, .text(7, "bored"))),
      .invalid(field: "report.streams.block")),
    Spoilt(
      "blocked with a tree", with(blocked.with(6, .bytes(6, id(5)))),
      .invalid(field: "report.streams.block")),
    Spoilt(
      "blocked at revision zero", with(blocked.with(5, .bytes(5, id(0)))),
      .invalid(field: "report.streams.revision")),
    Spoilt(
      "detail of two lines", with(blocked.with(8, .text(8, "a\nb"))),
      .invalid(field: "report.streams.detail")),
    Spoilt(
      "detail over limit", with(blocked.with(8, .text(8, String(repeating: "d", count: 1_025)))),
      .overLimit(field: "report.streams.detail", limit: 1_024, actual: 1_025)),
  ]) func `refuses`(spoilt: Spoilt) {
    #expect(throws: spoilt.error) { try Report(decoding: spoilt.fields.encoded) }
  }
}
