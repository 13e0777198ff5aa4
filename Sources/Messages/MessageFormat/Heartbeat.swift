import FoundationEssentials
package import GitModel

/// A signer's sign of life on one stream: who does not hear it, or is elsewhere, knows that something is kept from it
/// (docs/message-format.md, "Heartbeat").
package struct Heartbeat: AddressedBody, Hashable {
  package static let statementType = "application/vnd.distro.heartbeat.v1"

  package let signer: Mailbox
  /// In ascending order of their bytes, each once, at least one.
  package let recipients: [Mailbox]
  package let stream: StreamName
  /// Of the stream's newest message.
  package let sequence: UInt64
  /// Where the stream's newest message leads.
  package let revision: ObjectID
  package let createdAt: Timestamp
  package let expiresAt: Timestamp

  package init(
    signer: Mailbox, recipients: [Mailbox], stream: StreamName, sequence: UInt64,
    revision: ObjectID, createdAt: Timestamp, expiresAt: Timestamp
  ) {
    self.signer = signer
    self.recipients = recipients.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    self.stream = stream
    self.sequence = sequence
    self.revision = revision
    self.createdAt = createdAt
    self.expiresAt = expiresAt
  }
}

extension Heartbeat {
  package var author: Mailbox { signer }

  package func encoded() -> [UInt8] {
    var wire = WireHeartbeat()
    wire.version = formatVersion
    wire.signer = Data(signer.bytes)
    wire.recipients = recipients.map { Data($0.bytes) }
    wire.remote = stream.remote.text
    wire.ref = stream.branch.fullName
    wire.sequence = sequence
    wire.revision = Data(revision.bytes)
    wire.createdAt = createdAt.milliseconds
    wire.expiresAt = expiresAt.milliseconds
    return encodeCanonically(wire)
  }

  package init(decoding bytes: [UInt8]) throws(FormatError) {
    let wire = try decodeCanonically(
      WireHeartbeat.self, from: bytes, named: "heartbeat",
      byteCountMax: Limits.statementByteCountMax)
    try requireVersion(wire.version, of: "heartbeat")
    let stream = try StreamName(remote: wire.remote, ref: wire.ref, of: "heartbeat")
    try requireSequence(wire.sequence, of: "heartbeat")
    guard let revision = ObjectID(bytes: wire.revision), !revision.isZero else {
      throw .invalid(field: "heartbeat.revision")
    }
    self.init(
      signer: try name(wire.signer, field: "heartbeat.signer"),
      recipients: try decodeRecipients(wire.recipients, of: "heartbeat"), stream: stream,
      sequence: wire.sequence, revision: revision,
      createdAt: try time(wire.createdAt, field: "heartbeat.created_at"),
      expiresAt: try time(wire.expiresAt, field: "heartbeat.expires_at"))
  }
}
