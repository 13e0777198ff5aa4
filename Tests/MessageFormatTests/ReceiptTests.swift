import MessageFormat
import Testing

@Suite struct ReceiptTests {
  private static let applied = Samples.appliedFields
  private static let refused = Samples.refusedFields

  @Test func `encodes every field under its number`() throws {
    #expect(try Samples.applied.encoded() == Self.applied.encoded)
    #expect(try Receipt(decoding: Self.applied.encoded) == Samples.applied)
    #expect(
      try Samples.refused(.expired, detail: "expired 3 s ago").encoded() == Self.refused.encoded)
  }

  @Test func `says the applied revision as the checkouts`() throws {
    #expect(try Receipt(decoding: Self.applied.encoded).revision == object(4))
  }

  @Test(arguments: Refusal.allCases) func `carries every refusal`(refusal: Refusal) throws {
    let receipt = try Samples.refused(refusal, detail: "why")
    #expect(try Receipt(decoding: receipt.encoded()) == receipt)
    let fields = Self.refused.with(10, .text(10, refusal.rawValue)).with(11, .text(11, "why"))
    #expect(receipt.encoded() == fields.encoded)
  }

  @Test func `says that the checkout is behind`() throws {
    let here = try snapshot(4, 5)
    let nothing = Self.applied.with(8).with(9)
    for (outcome, fields) in [
      (Receipt.Outcome.behind(here), Self.applied + [.number(14, 1)]),
      (.behind(nil), nothing + [.number(14, 1)]),
    ] {
      let receipt = try Samples.standing(outcome)
      #expect(receipt.encoded() == fields.encoded)
      #expect(try Receipt(decoding: fields.encoded) == receipt)
    }
    #expect(try Samples.standing(.behind(here)).revision == here.revision)
  }

  @Test(arguments: BlockReason.allCases)
  func `a block says its reason, and the revision where it can be read`(reason: BlockReason) throws
  {
    for revision in [try object(4), nil] {
      let receipt = try Samples.standing(.blocked(reason, detail: "why"), revision: revision)
      let fields =
        Self.applied.with(9).with(11, .text(11, "why")) + [
          .number(14, 3), .text(15, reason.rawValue),
        ]
      let expected = revision == nil ? fields.with(8) : fields
      #expect(receipt.encoded() == expected.encoded)
      #expect(try Receipt(decoding: receipt.encoded()) == receipt)
      #expect(receipt.revision == revision)
    }
  }

  /// Wire names never change; a new one is added here.
  @Test func `names refusals as documented`() {
    #expect(
      Refusal.allCases.map(\.rawValue) == [
        "malformed", "tampered", "not-a-recipient", "unknown-signer", "bad-signature", "expired",
        "clock-skew", "over-limit", "replayed", "forked", "remote-mismatch", "branch-mismatch",
        "empty", "unsafe-path", "unusual-path", "symbolic-link", "not-permitted",
        "does-not-apply", "tree-mismatch", "commit-mismatch", "invalid-pack", "local-changes",
        "foreign-commit", "checkout-unusable", "going-back", "large-file-missing",
        "invalid-large-file",
        "invalid-submodule", "vetoed", "rolled-back", "unhealthy", "unprocessable",
      ])
    #expect(
      BlockReason.allCases.map(\.rawValue) == [
        "disk-full", "git-lock", "permission", "checkout-mismatch", "checkout-unreadable",
        "index-damaged", "objects-damaged", "paused", "rolled-back", "unhealthy", "other",
      ])
    #expect(
      CarrierRefusal.allCases.map(\.rawValue) == [
        "malformed", "not-allowed", "unknown-mailbox", "unknown-message", "out-of-order",
        "over-limit", "over-quota", "fault",
      ])
  }

  @Test func `cuts long detail at character`() throws {
    for text in [String(repeating: "x", count: 2_000), String(repeating: "ü", count: 600)] {
      let receipt = try Samples.refused(.malformed, detail: text)
      let decoded = try Receipt(decoding: receipt.encoded())
      guard case .refused(_, let detail) = decoded.outcome else { throw NoSuchValue() }
      #expect(detail.utf8.count == Limits.detailByteCountMax && text.hasPrefix(detail))
    }
  }

  @Test func `writes nothing that terminals act on`() throws {
    let receipt = try Samples.refused(.malformed, detail: "a\u{1b}[31mb\r\nc\u{9b}d\u{7f}ü")
    guard case .refused(_, let detail) = try Receipt(decoding: receipt.encoded()).outcome else {
      throw NoSuchValue()
    }
    #expect(detail == "a [31mb  c d ü")
    let reply = CarrierReply.refused(nil, .fault, mailboxes: [], detail: "a\nb")
    #expect(
      try CarrierReply(decoding: reply.encoded())
        == .refused(nil, .fault, mailboxes: [], detail: "a b"))
  }

  @Test(arguments: [
    Spoilt(
      "applier of 20 bytes", applied.with(2, .bytes(2, id(1))),
      .wrongLength(field: "receipt.applier", expected: 32, actual: 20)),
    Spoilt(
      "no signer", applied.with(3),
      .wrongLength(field: "receipt.signer", expected: 32, actual: 0)),
    Spoilt(
      "no message id", applied.with(4),
      .wrongLength(field: "receipt.message_id", expected: 32, actual: 0)),
    Spoilt("ref without remote", applied.with(5), .invalid(field: "receipt.remote")),
    Spoilt(
      "remote over limit", applied.with(5, .text(5, String(repeating: "r", count: 1_025))),
      .overLimit(field: "receipt.remote", limit: 1_024, actual: 1_025)),
    Spoilt(
      "remote of two lines", applied.with(5, .text(5, "a\nb")), .invalid(field: "receipt.remote")),
    Spoilt("remote without ref", applied.with(6), .invalid(field: "receipt.ref")),
    Spoilt("a tag", applied.with(6, .text(6, "refs/tags/v1")), .invalid(field: "receipt.ref")),
    Spoilt("ref without sequence", applied.with(7), .invalid(field: "receipt.sequence")),
    Spoilt(
      "sequence over limit", applied.with(7, .number(7, .max)),
      .overLimit(field: "receipt.sequence", limit: Limits.numberMax, actual: .max)),
    Spoilt("applied without revision", applied.with(8), .invalid(field: "receipt.revision")),
    Spoilt(
      "revision of 32 bytes", applied.with(8, .bytes(8, name(1))),
      .invalid(field: "receipt.revision")),
    Spoilt(
      "revision zero", applied.with(8, .bytes(8, id(0))), .invalid(field: "receipt.revision")),
    Spoilt("neither applied nor refused", applied.with(9), .invalid(field: "receipt.tree")),
    Spoilt("tree zero", applied.with(9, .bytes(9, id(0))), .invalid(field: "receipt.tree")),
    Spoilt(
      "applied with a detail", applied.with(11, .text(11, "x")), .invalid(field: "receipt.detail")),
    Spoilt(
      "behind at a revision without a tree", applied.with(9) + [.number(14, 1)],
      .invalid(field: "receipt.tree")),
    Spoilt(
      "current, which answers no message", applied + [.number(14, 2)],
      .invalid(field: "receipt.standing")),
    Spoilt("unknown standing", applied + [.number(14, 4)], .invalid(field: "receipt.standing")),
    Spoilt(
      "blocked without a reason", applied.with(9) + [.number(14, 3)],
      .invalid(field: "receipt.block")),
    Spoilt(
      "blocked for an unknown reason", applied.with(9) + [.number(14, 3), .text(15, "bored")],
      .invalid(field: "receipt.block")),
    Spoilt(
      "blocked with a tree", applied + [.number(14, 3), .text(15, "other")],
      .invalid(field: "receipt.block")),
    Spoilt(
      "blocked and refused", refused + [.number(14, 3), .text(15, "other")],
      .invalid(field: "receipt.block")),
    Spoilt(
      "a reason without being blocked", applied + [.text(15, "other")],
      .invalid(field: "receipt.block")),
    Spoilt(
      "refused and behind", refused + [.number(14, 1)], .invalid(field: "receipt.refusal")),
    Spoilt(
      "applied and refused", applied.with(10, .text(10, "expired")),
      .invalid(field: "receipt.refusal")),
    Spoilt(
      "unknown refusal", refused.with(10, .text(10, "Expired")), .invalid(field: "receipt.refusal")),
    Spoilt(
      "detail over limit", refused.with(11, .text(11, String(repeating: "d", count: 1_025))),
      .overLimit(field: "receipt.detail", limit: 1_024, actual: 1_025)),
    Spoilt(
      "detail of two lines", refused.with(11, .text(11, "a\nb")), .invalid(field: "receipt.detail")),
    Spoilt(
      "detail with a C1 character", refused.with(11, .text(11, "a\u{9b}31mb")),
      .invalid(field: "receipt.detail")),
    Spoilt(
      "received in 2^64 - 1", refused.with(12, .number(12, .max)),
      .overLimit(field: "receipt.received_at", limit: Limits.numberMax, actual: .max)),
    Spoilt(
      "finished in 2^53", refused.with(13, .number(13, 1 << 53)),
      .overLimit(field: "receipt.finished_at", limit: Limits.numberMax, actual: 1 << 53)),
  ]) func `refuses`(spoilt: Spoilt) {
    #expect(throws: spoilt.error) { try Receipt(decoding: spoilt.fields.encoded) }
  }
}
