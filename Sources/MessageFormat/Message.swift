import FoundationEssentials
package import GitModel

/// The signed statement about a patch (docs/message-format.md, "Message").
package struct Message: Hashable, Sendable {
  package static let statementType = "application/vnd.distro.message.v1"

  package var signer: Mailbox
  /// In ascending order of their bytes, each once, at least one.
  package var recipients: [Mailbox]
  package var remote: String
  package var ref: BranchName
  /// `nil`: the branch is created, and the payload is complete in itself.
  package var before: Snapshot?
  package var after: Snapshot
  /// The commit object of `after` without git's header; empty where the payload holds it.
  package var commit: [UInt8]
  /// 1, 2, 3… in a stream.
  package var sequence: UInt64
  /// The digest of the stream's previous message; `nil` for the first.
  package var previous: ContentDigest?
  package var createdAt: Timestamp
  package var expiresAt: Timestamp
  package var payload: PayloadDescription

  package init(
    signer: Mailbox, recipients: [Mailbox], remote: String, ref: BranchName, before: Snapshot?,
    after: Snapshot, commit: [UInt8], sequence: UInt64, previous: ContentDigest?,
    createdAt: Timestamp, expiresAt: Timestamp, payload: PayloadDescription
  ) {
    self.signer = signer
    self.recipients = recipients.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    self.remote = remote
    self.ref = ref
    self.before = before
    self.after = after
    self.commit = commit
    self.sequence = sequence
    self.previous = previous
    self.createdAt = createdAt
    self.expiresAt = expiresAt
    self.payload = payload
  }
}

/// A revision and the tree it stands for.
package struct Snapshot: Hashable, Sendable {
  package let revision: ObjectID
  package let tree: ObjectID

  package init(revision: ObjectID, tree: ObjectID) {
    self.revision = revision
    self.tree = tree
  }
}

/// What the chunks after the first hold, named by the signed message.
package struct PayloadDescription: Hashable, Sendable {
  package enum Kind: Sendable { case patch, pack }

  package let kind: Kind
  /// Of the payload as sealed, that is compressed: verified before the decompressor sees a byte.
  package let digest: ContentDigest
  /// Compressed, in bytes.
  package let size: UInt64
  /// What the decompressor yields, in bytes.
  package let inflatedSize: UInt64

  package init(kind: Kind, digest: ContentDigest, size: UInt64, inflatedSize: UInt64) {
    self.kind = kind
    self.digest = digest
    self.size = size
    self.inflatedSize = inflatedSize
  }
}

extension Message {
  package func encoded() -> [UInt8] {
    var wire = WireMessage()
    wire.version = formatVersion
    wire.signer = Data(signer.bytes)
    wire.recipients = recipients.map { Data($0.bytes) }
    wire.remote = remote
    wire.ref = ref.fullName
    wire.before = Data(before?.revision.bytes ?? [])
    wire.beforeTree = Data(before?.tree.bytes ?? [])
    wire.after = Data(after.revision.bytes)
    wire.afterTree = Data(after.tree.bytes)
    wire.commit = Data(commit)
    wire.sequence = sequence
    wire.previous = Data(previous?.bytes ?? [])
    wire.createdAt = createdAt.milliseconds
    wire.expiresAt = expiresAt.milliseconds
    wire.payload.kind = payload.kind == .patch ? .patch : .pack
    wire.payload.digest = Data(payload.digest.bytes)
    wire.payload.size = payload.size
    wire.payload.inflatedSize = payload.inflatedSize
    return encodeCanonically(wire)
  }

  package init(decoding bytes: [UInt8]) throws(FormatError) {
    let wire = try decodeCanonically(
      WireMessage.self, from: bytes, named: "message", byteCountMax: Limits.statementByteCountMax)
    try requireVersion(wire.version, of: "message")
    try requireLimit(
      wire.recipients.count, Limits.recipientCountMax, field: "message.recipients")
    var recipients: [Mailbox] = []
    for data in wire.recipients {
      let mailbox: Mailbox = try name(data, field: "message.recipients")
      if let last = recipients.last {
        guard last.bytes.lexicographicallyPrecedes(mailbox.bytes) else {
          throw .notCanonical("message.recipients")
        }
      }
      recipients.append(mailbox)
    }
    guard !recipients.isEmpty else { throw .invalid(field: "message.recipients") }
    try requireLimit(
      wire.remote.utf8.count, Limits.remoteByteCountMax, field: "message.remote")
    try requirePrintable(wire.remote, field: "message.remote")
    guard !wire.remote.isEmpty else { throw .invalid(field: "message.remote") }
    guard let ref = BranchName(fullName: wire.ref) else { throw .invalid(field: "message.ref") }
    try requireLimit(wire.commit.count, Limits.commitByteCountMax, field: "message.commit")
    guard wire.sequence >= 1 else { throw .invalid(field: "message.sequence") }
    try requireLimit(wire.sequence, Limits.numberMax, field: "message.sequence")
    let previous: ContentDigest? =
      wire.previous.isEmpty ? nil : try name(wire.previous, field: "message.previous")
    guard (wire.sequence == 1) == (previous == nil) else {
      throw .invalid(field: "message.previous")
    }
    guard let after = try Self.snapshot(wire.after, wire.afterTree, field: "message.after") else {
      throw .invalid(field: "message.after")
    }
    self.init(
      signer: try name(wire.signer, field: "message.signer"), recipients: recipients,
      remote: wire.remote, ref: ref,
      before: try Self.snapshot(wire.before, wire.beforeTree, field: "message.before"),
      after: after, commit: Array(wire.commit), sequence: wire.sequence, previous: previous,
      createdAt: try time(wire.createdAt, field: "message.created_at"),
      expiresAt: try time(wire.expiresAt, field: "message.expires_at"),
      payload: try PayloadDescription(wire.payload))
  }

  private static func snapshot(
    _ revision: Data, _ tree: Data, field: String
  ) throws(FormatError) -> Snapshot? {
    if revision.isEmpty && tree.isEmpty { return nil }
    guard let revision = ObjectID(bytes: revision), let tree = ObjectID(bytes: tree),
      !revision.isZero, !tree.isZero
    else { throw .invalid(field: field) }
    return Snapshot(revision: revision, tree: tree)
  }
}

extension PayloadDescription {
  init(_ wire: WirePayload) throws(FormatError) {
    switch wire.kind {
    case .patch: kind = .patch
    case .pack: kind = .pack
    case .unspecified, .UNRECOGNIZED: throw .invalid(field: "message.payload.kind")
    }
    digest = try name(wire.digest, field: "message.payload.digest")
    let inflatedMax =
      kind == .patch ? UInt64(Limits.patchByteCountMax) : Limits.payloadInflatedByteCountMax
    try requireLimit(wire.inflatedSize, inflatedMax, field: "message.payload.inflated_size")
    let sealedMax = UInt64(Limits.chunkCountMax - 2) * UInt64(Limits.chunkPlaintextByteCountMax)
    try requireLimit(wire.size, sealedMax, field: "message.payload.size")
    guard wire.size >= 1 else { throw .invalid(field: "message.payload.size") }
    (size, inflatedSize) = (wire.size, wire.inflatedSize)
  }

  /// How many chunks follow the first two; every one but the last is full.
  package var chunkCount: UInt32 {
    let full = UInt64(Limits.chunkPlaintextByteCountMax)
    return UInt32((size + full - 1) / full)
  }
}
