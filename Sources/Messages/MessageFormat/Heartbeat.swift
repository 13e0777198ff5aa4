import FoundationEssentials
package import GitModel

/// A signer's sign of life on streams: a recipient that does not hear it, or is elsewhere, knows that something is kept
/// from it (docs/message-format.md, "Heartbeat").
package struct Heartbeat: AddressedBody, Hashable {
  package static let statementType = "application/vnd.distro.heartbeat.v1"

  /// One stream, as its signer knows it.
  package struct Stream: Hashable, Sendable {
    package let name: StreamName
    /// Of the stream's newest message.
    package let sequence: UInt64
    /// Where the stream leads.
    package let revision: ObjectID
    /// The tree of `revision`, where any revision with this tree does as well; `nil`: only `revision` does.
    package let tree: ObjectID?

    package init(_ name: StreamName, sequence: UInt64, revision: ObjectID, tree: ObjectID?) {
      (self.name, self.sequence, self.revision, self.tree) = (name, sequence, revision, tree)
    }

    package func isMet(by snapshot: Snapshot) -> Bool {
      snapshot.revision == revision || snapshot.tree == tree
    }
  }

  package let signer: Mailbox
  /// In ascending order of their bytes, each once, at least one.
  package let recipients: [Mailbox]
  /// Grows over all heartbeats of the signer.
  package let counter: UInt64
  /// Of the heartbeats with this counter for the same recipients, this is the one with this number, from 0 on.
  package let part: UInt32
  package let createdAt: Timestamp
  package let expiresAt: Timestamp
  /// In ascending order of their names, each once, at least one.
  package let streams: [Stream]

  package init(
    signer: Mailbox, recipients: [Mailbox], counter: UInt64, part: UInt32 = 0,
    createdAt: Timestamp, expiresAt: Timestamp, streams: [Stream]
  ) {
    self.signer = signer
    self.recipients = recipients.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    self.counter = counter
    self.part = part
    self.createdAt = createdAt
    self.expiresAt = expiresAt
    self.streams = streams.sorted { $0.name < $1.name }
  }

  /// As few parts as hold these streams, each within the limits of one heartbeat.
  package static func parts(of streams: [Stream]) -> [[Stream]] {
    var parts: [[Stream]] = []
    var byteCount = 0
    for stream in streams.sorted(by: { $0.name < $1.name }) {
      byteCount += stream.name.byteCount
      let isFull =
        parts.last.map { $0.count == Limits.heartbeatStreamCountMax } ?? true
        || byteCount > Limits.heartbeatNameByteCountMax
      if isFull {
        parts.append([])
        byteCount = stream.name.byteCount
      }
      parts[parts.count - 1].append(stream)
    }
    return parts
  }
}

extension Heartbeat {
  package var author: Mailbox { signer }

  package func encoded() -> [UInt8] {
    var wire = WireHeartbeat()
    wire.version = formatVersion
    wire.signer = Data(signer.bytes)
    wire.recipients = recipients.map { Data($0.bytes) }
    wire.counter = counter
    wire.part = part
    wire.createdAt = createdAt.milliseconds
    wire.expiresAt = expiresAt.milliseconds
    wire.streams = streams.map { stream in
      var wire = WireStreamHead()
      wire.remote = stream.name.remote.text
      wire.ref = stream.name.branch.fullName
      wire.sequence = stream.sequence
      wire.revision = Data(stream.revision.bytes)
      wire.tree = Data(stream.tree?.bytes ?? [])
      return wire
    }
    return encodeCanonically(wire)
  }

  package init(decoding bytes: [UInt8]) throws(FormatError) {
    let wire = try decodeCanonically(
      WireHeartbeat.self, from: bytes, named: "heartbeat",
      byteCountMax: Limits.statementByteCountMax)
    try requireVersion(wire.version, of: "heartbeat")
    try requireLimit(
      UInt64(wire.part), UInt64(Limits.heartbeatPartCountMax - 1), field: "heartbeat.part")
    try requireLimit(
      wire.streams.count, Limits.heartbeatStreamCountMax, field: "heartbeat.streams")
    var streams: [Stream] = []
    for stream in wire.streams {
      let name = try StreamName(remote: stream.remote, ref: stream.ref, of: "heartbeat.streams")
      try requireSequence(stream.sequence, of: "heartbeat.streams")
      guard let revision = ObjectID(bytes: stream.revision), !revision.isZero else {
        throw .invalid(field: "heartbeat.streams.revision")
      }
      let tree = stream.tree.isEmpty ? nil : ObjectID(bytes: stream.tree)
      guard tree?.isZero != true, tree != nil || stream.tree.isEmpty else {
        throw .invalid(field: "heartbeat.streams.tree")
      }
      streams.append(
        Stream(name, sequence: stream.sequence, revision: revision, tree: tree))
    }
    try requireStreams(streams.map(\.name), of: "heartbeat")
    self.init(
      signer: try name(wire.signer, field: "heartbeat.signer"),
      recipients: try decodeRecipients(wire.recipients, of: "heartbeat"),
      counter: try requiredCounter(wire.counter, of: "heartbeat"), part: wire.part,
      createdAt: try time(wire.createdAt, field: "heartbeat.created_at"),
      expiresAt: try time(wire.expiresAt, field: "heartbeat.expires_at"), streams: streams)
  }
}

/// Of a heartbeat, or of the report that answers it.
func requiredCounter(_ counter: UInt64, of structure: String) throws(FormatError) -> UInt64 {
  let field = "\(structure).counter"
  guard counter >= 1 else { throw .invalid(field: field) }
  try requireLimit(counter, Limits.numberMax, field: field)
  return counter
}

/// In ascending order, each once, at least one, and no more than an answer to all of them has room for.
func requireStreams(_ names: [StreamName], of structure: String) throws(FormatError) {
  let field = "\(structure).streams"
  guard !names.isEmpty else { throw .invalid(field: field) }
  try requireLimit(
    names.reduce(0) { $0 + $1.byteCount }, Limits.heartbeatNameByteCountMax,
    field: "\(field).names")
  for (name, next) in zip(names, names.dropFirst()) where !(name < next) {
    throw .notCanonical(field)
  }
}
