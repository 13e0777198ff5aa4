import FoundationEssentials
package import GitModel

/// An applier's signed answer to one sealed message (docs/message-format.md, "Receipt").
package struct Receipt: Hashable, Sendable {
  package static let statementType = "application/vnd.distro.receipt.v1"

  package enum Outcome: Hashable, Sendable {
    case applied(Snapshot)
    /// The detail is for people: what was expected, what was found.
    case refused(Refusal, detail: String)
  }

  /// What the message said, where it could be opened and its signature was good.
  package struct Subject: Hashable, Sendable {
    package let remote: String
    package let ref: BranchName
    package let sequence: UInt64

    package init(remote: String, ref: BranchName, sequence: UInt64) {
      self.remote = remote
      self.ref = ref
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
    self.revision = if case .applied(let snapshot) = outcome { snapshot.revision } else { revision }
    self.receivedAt = receivedAt
    self.finishedAt = finishedAt
  }
}

extension Receipt {
  package func encoded() -> [UInt8] {
    var wire = WireReceipt()
    wire.version = formatVersion
    wire.applier = Data(applier.bytes)
    wire.signer = Data(signer.bytes)
    wire.messageID = Data(messageID.bytes)
    wire.remote = subject?.remote ?? ""
    wire.ref = subject?.ref.fullName ?? ""
    wire.sequence = subject?.sequence ?? 0
    wire.revision = Data(revision?.bytes ?? [])
    switch outcome {
    case .applied(let snapshot):
      wire.tree = Data(snapshot.tree.bytes)
    case .refused(let refusal, let detail):
      wire.refusal = refusal.rawValue
      wire.detail = printableDetail(detail)
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
      subject: try Self.subject(of: wire), outcome: try Self.outcome(of: wire, revision: revision),
      revision: revision, receivedAt: try time(wire.receivedAt, field: "receipt.received_at"),
      finishedAt: try time(wire.finishedAt, field: "receipt.finished_at"))
  }

  private static func subject(of wire: WireReceipt) throws(FormatError) -> Subject? {
    if wire.remote.isEmpty && wire.ref.isEmpty && wire.sequence == 0 { return nil }
    try requireLimit(wire.remote.utf8.count, Limits.remoteByteCountMax, field: "receipt.remote")
    try requirePrintable(wire.remote, field: "receipt.remote")
    guard !wire.remote.isEmpty else { throw .invalid(field: "receipt.remote") }
    guard let ref = BranchName(fullName: wire.ref) else { throw .invalid(field: "receipt.ref") }
    guard wire.sequence >= 1 else { throw .invalid(field: "receipt.sequence") }
    try requireLimit(wire.sequence, Limits.numberMax, field: "receipt.sequence")
    return Subject(remote: wire.remote, ref: ref, sequence: wire.sequence)
  }

  private static func outcome(
    of wire: WireReceipt, revision: ObjectID?
  ) throws(FormatError) -> Outcome {
    guard wire.refusal.isEmpty else {
      guard let refusal = Refusal(rawValue: wire.refusal), wire.tree.isEmpty else {
        throw .invalid(field: "receipt.refusal")
      }
      try requireLimit(wire.detail.utf8.count, Limits.detailByteCountMax, field: "receipt.detail")
      try requirePrintable(wire.detail, field: "receipt.detail")
      return .refused(refusal, detail: wire.detail)
    }
    guard let revision, let tree = ObjectID(bytes: wire.tree), !tree.isZero, wire.detail.isEmpty
    else {
      throw .invalid(field: "receipt.tree")
    }
    return .applied(Snapshot(revision: revision, tree: tree))
  }
}
