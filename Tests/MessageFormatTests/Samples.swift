import GitModel
import MessageFormat

/// One of each structure, as the library has it and as fields written by hand.
enum Samples {
  static let timestamp: UInt64 = 1_700_000_000_000

  static var message: Message {
    get throws {
      Message(
        signer: try mailbox(1), recipients: [try mailbox(3), try mailbox(2)],
        stream: try stream("git@github.com:acme/shop.git", "refs/heads/main"),
        before: try snapshot(4, 5), after: try snapshot(6, 7), commit: [1, 2, 3], sequence: 300,
        previous: try digest(8), createdAt: Timestamp(milliseconds: timestamp),
        expiresAt: Timestamp(milliseconds: timestamp + 1),
        payload: PayloadDescription(
          kind: .patch, digest: try digest(9), size: 131_056, inflatedSize: 8 << 20),
        descends: true)
    }
  }

  static let messageFields: [Field] = [
    .number(1, 1), .bytes(2, name(1)), .bytes(3, name(2)), .bytes(3, name(3)),
    .text(4, "git@github.com:acme/shop.git"), .text(5, "refs/heads/main"), .bytes(6, id(4)),
    .bytes(7, id(5)), .bytes(8, id(6)), .bytes(9, id(7)), .bytes(10, [1, 2, 3]), .number(11, 300),
    .bytes(12, name(8)), .number(13, timestamp), .number(14, timestamp + 1),
    .fields(15, payloadFields), .number(16, 1),
  ]

  static let payloadFields: [Field] = [
    .number(1, 1), .bytes(2, name(9)), .number(3, 131_056), .number(4, 8 << 20),
  ]

  static var applied: Receipt {
    get throws {
      Receipt(
        applier: try mailbox(1), signer: try mailbox(2), messageID: try messageID(3),
        subject: .init(
          stream: try stream("git@github.com:acme/shop.git", "refs/heads/main"), sequence: 7),
        outcome: .applied(try snapshot(4, 5)), revision: nil,
        receivedAt: Timestamp(milliseconds: timestamp),
        finishedAt: Timestamp(milliseconds: timestamp + 2))
    }
  }

  static let appliedFields: [Field] = [
    .number(1, 1), .bytes(2, name(1)), .bytes(3, name(2)), .bytes(4, name(3)),
    .text(5, "git@github.com:acme/shop.git"), .text(6, "refs/heads/main"), .number(7, 7),
    .bytes(8, id(4)), .bytes(9, id(5)), .number(12, timestamp), .number(13, timestamp + 2),
  ]

  static func refused(_ refusal: Refusal, detail: String) throws -> Receipt {
    Receipt(
      applier: try mailbox(1), signer: try mailbox(2), messageID: try messageID(3), subject: nil,
      outcome: .refused(refusal, detail: detail), revision: try object(6),
      receivedAt: Timestamp(milliseconds: timestamp),
      finishedAt: Timestamp(milliseconds: timestamp + 2))
  }

  static let refusedFields: [Field] = [
    .number(1, 1), .bytes(2, name(1)), .bytes(3, name(2)), .bytes(4, name(3)), .bytes(8, id(6)),
    .text(10, "expired"), .text(11, "expired 3 s ago"), .number(12, timestamp),
    .number(13, timestamp + 2),
  ]

  static func standing(
    _ outcome: Receipt.Outcome, revision: ObjectID? = nil
  ) throws -> Receipt {
    let applied = try applied
    return Receipt(
      applier: applied.applier, signer: applied.signer, messageID: applied.messageID,
      subject: applied.subject, outcome: outcome, revision: revision,
      receivedAt: applied.receivedAt, finishedAt: applied.finishedAt)
  }

  static var heartbeat: Heartbeat {
    get throws {
      Heartbeat(
        signer: try mailbox(1), recipients: [try mailbox(3), try mailbox(2)], counter: 70_000,
        part: 2, createdAt: Timestamp(milliseconds: timestamp),
        expiresAt: Timestamp(milliseconds: timestamp + 1),
        streams: [
          .init(
            try stream(shop, "refs/heads/next"), sequence: 7, revision: try object(5), tree: nil),
          .init(
            try stream(shop, "refs/heads/main"), sequence: 300, revision: try object(4),
            tree: try object(6)),
        ])
    }
  }

  private static let shop = "git@github.com:acme/shop.git"

  static let heartbeatFields: [Field] = [
    .number(1, 1), .bytes(2, name(1)), .bytes(3, name(2)), .bytes(3, name(3)), .number(4, 70_000),
    .number(5, 2), .number(6, timestamp), .number(7, timestamp + 1), .fields(8, headFields),
    .fields(
      8,
      headFields.with(2, .text(2, "refs/heads/next")).with(3, .number(3, 7))
        .with(4, .bytes(4, id(5))).with(5)),
  ]

  /// Of a stream in a heartbeat.
  static let headFields: [Field] = [
    .text(1, shop), .text(2, "refs/heads/main"), .number(3, 300), .bytes(4, id(4)),
    .bytes(5, id(6)),
  ]

  static var report: Report {
    get throws {
      Report(
        applier: try mailbox(1), signer: try mailbox(2), counter: 70_000,
        receivedAt: Timestamp(milliseconds: timestamp),
        finishedAt: Timestamp(milliseconds: timestamp + 2),
        streams: [
          .init(
            try stream(shop, "refs/heads/main"), sequence: 300,
            standing: .current(try snapshot(4, 5))),
          .init(
            try stream(shop, "refs/heads/next"), sequence: 7,
            standing: .blocked(.diskFull, detail: "1 MB is free", revision: try object(6))),
        ])
    }
  }

  static let reportFields: [Field] = [
    .number(1, 1), .bytes(2, name(1)), .bytes(3, name(2)), .number(4, 70_000),
    .number(5, timestamp), .number(6, timestamp + 2), .fields(7, currentFields),
    .fields(7, blockedFields),
  ]

  /// Of a stream in a report.
  static let currentFields: [Field] = [
    .text(1, shop), .text(2, "refs/heads/main"), .number(3, 300), .number(4, 2), .bytes(5, id(4)),
    .bytes(6, id(5)),
  ]

  static let blockedFields: [Field] = [
    .text(1, shop), .text(2, "refs/heads/next"), .number(3, 7), .number(4, 3), .bytes(5, id(6)),
    .text(7, "disk-full"), .text(8, "1 MB is free"),
  ]

  static var statement: Statement {
    get throws {
      Statement(
        type: "application/example", body: [1, 2, 3],
        signatures: [
          .init(signer: try mailbox(1), bytes: [UInt8](repeating: 2, count: 64)),
          .init(signer: try mailbox(1), bytes: [UInt8](repeating: 3, count: 64)),
        ])
    }
  }

  static let statementFields: [Field] = [
    .text(1, "application/example"), .bytes(2, [1, 2, 3]),
    .fields(3, [.bytes(1, name(1)), .bytes(2, [UInt8](repeating: 2, count: 64))]),
    .fields(3, [.bytes(1, name(1)), .bytes(2, [UInt8](repeating: 3, count: 64))]),
  ]

  static var header: SealedHeader {
    get throws {
      SealedHeader(
        streamHeader: [UInt8](repeating: 1, count: 24),
        recipients: [
          .init(mailbox: try mailbox(3), wrappedKey: [UInt8](repeating: 4, count: 80)),
          .init(mailbox: try mailbox(2), wrappedKey: [UInt8](repeating: 5, count: 80)),
        ])
    }
  }

  static let headerFields: [Field] = [
    .number(1, 1), .bytes(2, [UInt8](repeating: 1, count: 24)), recipient(2, 5), recipient(3, 4),
  ]

  static func recipient(_ mailbox: UInt8, _ key: UInt8, keyByteCount: Int = 80) -> Field {
    .fields(
      3,
      [.bytes(1, name(mailbox)), .bytes(2, [UInt8](repeating: key, count: keyByteCount))])
  }

  /// With a request's or reply's version.
  static func carrier(_ kind: Int, _ fields: [Field]) -> [Field] {
    [.number(1, 1), .fields(kind, fields)]
  }
}

struct NoSuchValue: Error {}

func mailbox(_ byte: UInt8) throws -> Mailbox {
  guard let mailbox = Mailbox(name(byte)) else { throw NoSuchValue() }
  return mailbox
}

func messageID(_ byte: UInt8) throws -> MessageID {
  guard let id = MessageID(name(byte)) else { throw NoSuchValue() }
  return id
}

func digest(_ byte: UInt8) throws -> ContentDigest {
  guard let digest = ContentDigest(name(byte)) else { throw NoSuchValue() }
  return digest
}

func slot(_ byte: UInt8) throws -> Slot {
  guard let slot = Slot(name(byte)) else { throw NoSuchValue() }
  return slot
}

func object(_ byte: UInt8) throws -> ObjectID {
  guard let object = ObjectID(bytes: id(byte)) else { throw NoSuchValue() }
  return object
}

func snapshot(_ revision: UInt8, _ tree: UInt8) throws -> Snapshot {
  Snapshot(revision: try object(revision), tree: try object(tree))
}

func branch(_ name: String) throws -> BranchName {
  guard let branch = BranchName(fullName: name) else { throw NoSuchValue() }
  return branch
}

func stream(_ remote: String, _ ref: String) throws -> StreamName {
  StreamName(remote: try RemoteName(remote), branch: try branch(ref))
}
