import MessageFormat
import Testing

/// A structure of the format, for what is true of each of them.
struct Structure: Sendable, CustomTestStringConvertible {
  let title: String
  let fields: [Field]
  /// Decodes and encodes again.
  let reencode: @Sendable ([UInt8]) throws -> [UInt8]

  var testDescription: String { title }

  static let all = signed + carried

  static let signed: [Structure] = [
    Structure(title: "message", fields: Samples.messageFields) {
      try Message(decoding: $0).encoded()
    },
    Structure(
      title: "message",
      fields: Samples.messageFields.with(6).with(7).with(11, .number(11, 1)).with(12).with(16)
        .with(15, .fields(15, Samples.payloadFields.with(1, .number(1, 2))))
    ) { try Message(decoding: $0).encoded() },
    Structure(title: "receipt", fields: Samples.appliedFields) {
      try Receipt(decoding: $0).encoded()
    },
    Structure(title: "receipt", fields: Samples.refusedFields) {
      try Receipt(decoding: $0).encoded()
    },
    Structure(title: "receipt", fields: Samples.appliedFields + [.number(14, 1)]) {
      try Receipt(decoding: $0).encoded()
    },
    Structure(title: "heartbeat", fields: Samples.heartbeatFields) {
      try Heartbeat(decoding: $0).encoded()
    },
    Structure(title: "report", fields: Samples.reportFields) {
      try Report(decoding: $0).encoded()
    },
    Structure(title: "statement", fields: Samples.statementFields) {
      try Statement(decoding: $0).encoded()
    },
    Structure(title: "header", fields: Samples.headerFields) {
      try SealedHeader(decoding: $0).encoded()
    },
  ]

  static let carried: [Structure] =
    [
      request(2, [.bytes(1, name(1)), .bytes(2, name(2)), .number(3, 5), .number(4, 300_000)]),
      request(3, [.bytes(1, name(1)), .number(2, 5)]),
      request(4, [.number(1, 9), .number(2, 32), .number(3, 1)]),
      request(4, []),
      request(5, [.bytes(1, name(1)), .number(2, 5), .number(3, 32)]),
      request(6, [.number(1, 9), .bytes(2, name(1))]),
      reply(2, [.bytes(1, name(1)), .number(2, 5), .number(3, 32)]),
      reply(3, [.bytes(1, name(1))]),
      reply(4, [.bytes(1, name(1)), .text(2, "over-quota"), .text(3, "2 are too many")]),
      reply(4, [.text(2, "malformed")]),
      reply(5, [.number(1, 9), .bytes(2, name(1)), .number(3, 5), .number(4, 300_000)]),
      reply(6, [.bytes(1, name(1)), .number(2, 5)]),
      reply(7, []),
      reply(8, [.number(1, 9), .bytes(2, name(1))]),
    ]

  static func request(_ kind: Int, _ fields: [Field]) -> Structure {
    Structure(title: "request", fields: Samples.carrier(kind, fields)) {
      try CarrierRequest(decoding: $0).encoded()
    }
  }

  static func reply(_ kind: Int, _ fields: [Field]) -> Structure {
    Structure(title: "reply", fields: Samples.carrier(kind, fields)) {
      try CarrierReply(decoding: $0).encoded()
    }
  }
}
