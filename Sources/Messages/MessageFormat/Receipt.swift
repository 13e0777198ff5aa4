import FoundationEssentials
package import GitModel

/// An applier's signed answer to one sealed message (docs/message-format.md, "Receipt").
package struct Receipt: StatementBody, Hashable {
  package static let statementType = "application/vnd.distro.receipt.v1"

  package enum Outcome: Hashable, Sendable {
    case applied(Snapshot)
    /// The detail is for people: what was expected, what was found.
    case refused(Refusal, detail: String)
    /// The checkout is not where the message starts: it is here, or has nothing, and needs what leads on from there.
    case behind(Snapshot?)
    /// The machine, not the message, has been in the way for a minute or longer: the message stays in the inbox and is
    /// answered again later. The detail is for people.
    case blocked(BlockReason, detail: String)
  }

  /// What the message said, where it could be opened and its signature was good.
  package struct Subject: Hashable, Sendable {
    package let stream: StreamName
    package let sequence: UInt64

    package init(stream: StreamName, sequence: UInt64) {
      self.stream = stream
      self.sequence = sequence
    }
  }

  package let applier: Mailbox
  package let signer: Mailbox
  package let messageID: MessageID
  package let subject: Subject?
  package let outcome: Outcome
  /// What the applier's checkout of the stream is at now; `nil` where there is none.
  package let revision: ObjectID?
  package let receivedAt: Timestamp
  package let finishedAt: Timestamp

  package init(
    applier: Mailbox, signer: Mailbox, messageID: MessageID, subject: Subject?, outcome: Outcome,
    revision: ObjectID?, receivedAt: Timestamp, finishedAt: Timestamp
  ) {
    self.applier = applier
    self.signer = signer
    self.messageID = messageID
    self.subject = subject
    self.outcome = outcome
    self.revision =
      switch outcome {
      case .applied(let snapshot): snapshot.revision
      case .behind(let snapshot): snapshot?.revision
      case .refused, .blocked: revision
      }
    self.receivedAt = receivedAt
    self.finishedAt = finishedAt
  }
}

extension Receipt {
  package var author: Mailbox { applier }

  package func encoded() -> [UInt8] {
    var wire = WireReceipt()
    wire.version = formatVersion
    wire.applier = Data(applier.bytes)
    wire.signer = Data(signer.bytes)
    wire.messageID = Data(messageID.bytes)
    wire.remote = subject?.stream.remote.text ?? ""
    wire.ref = subject?.stream.branch.fullName ?? ""
    wire.sequence = subject?.sequence ?? 0
    wire.revision = Data(revision?.bytes ?? [])
    switch outcome {
    case .applied(let snapshot):
      wire.tree = Data(snapshot.tree.bytes)
    case .behind(let snapshot):
      wire.tree = Data(snapshot?.tree.bytes ?? [])
      wire.standing = .behind
    case .refused(let refusal, let detail):
      wire.refusal = refusal.rawValue
      wire.detail = printableDetail(detail, byteCountMax: Limits.detailByteCountMax)
    case .blocked(let reason, let detail):
      wire.standing = .blocked
      wire.block = reason.rawValue
      wire.detail = printableDetail(detail, byteCountMax: Limits.detailByteCountMax)
    }
    wire.receivedAt = receivedAt.milliseconds
    wire.finishedAt = finishedAt.milliseconds
    return encodeCanonically(wire)
  }

  package init(decoding bytes: [UInt8]) throws(FormatError) {
    let wire = try decodeCanonically(
      WireReceipt.self, from: bytes, named: "receipt", byteCountMax: Limits.statementByteCountMax)
    try requireVersion(wire.version, of: "receipt")
    let revision = ObjectID(bytes: wire.revision)
    guard wire.revision.isEmpty || revision?.isZero == false else {
      throw .invalid(field: "receipt.revision")
    }
    self.init(
      applier: try name(wire.applier, field: "receipt.applier"),
      signer: try name(wire.signer, field: "receipt.signer"),
      messageID: try name(wire.messageID, field: "receipt.message_id"),
      subject: try Self.subject(of: wire), outcome: try Self.outcome(of: wire),
      revision: revision, receivedAt: try time(wire.receivedAt, field: "receipt.received_at"),
      finishedAt: try time(wire.finishedAt, field: "receipt.finished_at"))
  }

  private static func subject(of wire: WireReceipt) throws(FormatError) -> Subject? {
    if wire.remote.isEmpty && wire.ref.isEmpty && wire.sequence == 0 { return nil }
    let stream = try StreamName(remote: wire.remote, ref: wire.ref, of: "receipt")
    try requireSequence(wire.sequence, of: "receipt")
    return Subject(stream: stream, sequence: wire.sequence)
  }

  private static func outcome(of wire: WireReceipt) throws(FormatError) -> Outcome {
    if wire.standing == .blocked || !wire.block.isEmpty { return try blocked(wire) }
    guard wire.refusal.isEmpty else {
      guard let refusal = Refusal(rawValue: wire.refusal), wire.tree.isEmpty,
        wire.standing == .answered
      else {
        throw .invalid(field: "receipt.refusal")
      }
      return .refused(refusal, detail: try detail(wire.detail, field: "receipt.detail"))
    }
    guard wire.detail.isEmpty else { throw .invalid(field: "receipt.detail") }
    let snapshot = try Snapshot.decoding(
      wire.revision, wire.tree, fields: ("receipt.revision", "receipt.tree"))
    switch wire.standing {
    case .behind: return .behind(snapshot)
    case .answered:
      guard let snapshot else { throw .invalid(field: "receipt.tree") }
      return .applied(snapshot)
    case .current, .blocked, .UNRECOGNIZED: throw .invalid(field: "receipt.standing")
    }
  }

  private static func blocked(_ wire: WireReceipt) throws(FormatError) -> Outcome {
    guard wire.standing == .blocked, wire.refusal.isEmpty, wire.tree.isEmpty,
      let reason = BlockReason(rawValue: wire.block)
    else { throw .invalid(field: "receipt.block") }
    return .blocked(reason, detail: try detail(wire.detail, field: "receipt.detail"))
  }
}
