import FoundationEssentials
package import GitModel

/// The signed statement about a patch (docs/message-format.md, "Message").
package struct Message: AddressedBody, Hashable {
  package static let statementType = "application/vnd.distro.message.v1"

  package var signer: Mailbox
  /// In ascending order of their bytes, each once, at least one.
  package var recipients: [Mailbox]
  package var stream: StreamName
  /// `nil`: the branch is created, and the payload is complete in itself.
  package var before: Snapshot?
  package var after: Snapshot
  /// The commit object of `after` without git's header; empty where the payload holds it.
  package var commit: [UInt8]
  /// Greater than that of every message of the stream before, mostly by one.
  package var sequence: UInt64
  /// The digest of the stream's previous message; `nil` where its signer remembers none.
  package var previous: ContentDigest?
  package var createdAt: Timestamp
  package var expiresAt: Timestamp
  /// `nil`: `after` has the files of `before`, and only the revision moves.
  package var payload: PayloadDescription?
  /// The signer found `before` among the ancestors of `after`; `false` also where it could not look.
  package var descends: Bool

  package init(
    signer: Mailbox, recipients: [Mailbox], stream: StreamName, before: Snapshot?, after: Snapshot,
    commit: [UInt8], sequence: UInt64, previous: ContentDigest?, createdAt: Timestamp,
    expiresAt: Timestamp, payload: PayloadDescription?, descends: Bool
  ) {
    self.signer = signer
    self.recipients = recipients.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    self.stream = stream
    self.before = before
    self.after = after
    self.commit = commit
    self.sequence = sequence
    self.previous = previous
    self.createdAt = createdAt
    self.expiresAt = expiresAt
    self.payload = payload
    self.descends = descends
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
  package enum Kind: Sendable {
    case patch
    /// Objects that the revision before does not have.
    case pack
    /// All objects of the new tree, for a revision before that the signer does not have.
    case replacement
  }

  package let kind: Kind
  /// Of the payload as sealed, that is compressed: verified before the decompressor sees a byte.
  package let digest: ContentDigest
  /// Compressed, in bytes.
  package let size: UInt64
  /// What the decompressor yields, in bytes.
  package let inflatedSize: UInt64
  /// What stands behind the patch or pack; `nil`: the signer leaves large files as pointers.
  package let largeFiles: LargeFilesDescription?
  /// What stands behind these; `nil`: the message changes no submodule, or its signer does not ship them.
  package let submodules: SubmodulesDescription?

  package init(
    kind: Kind, digest: ContentDigest, size: UInt64, inflatedSize: UInt64,
    largeFiles: LargeFilesDescription? = nil, submodules: SubmodulesDescription? = nil
  ) {
    self.kind = kind
    self.digest = digest
    self.size = size
    self.inflatedSize = inflatedSize
    self.largeFiles = largeFiles
    self.submodules = submodules
  }

  /// Of the patch or pack alone: inflated, in bytes.
  package var contentSize: UInt64 {
    inflatedSize - (largeFiles?.size ?? 0) - (submodules?.size ?? 0)
  }
}

extension Message {
  package var author: Mailbox { signer }

  package func encoded() -> [UInt8] {
    var wire = WireMessage()
    wire.version = formatVersion
    wire.signer = Data(signer.bytes)
    wire.recipients = recipients.map { Data($0.bytes) }
    wire.remote = stream.remote.text
    wire.ref = stream.branch.fullName
    wire.before = Data(before?.revision.bytes ?? [])
    wire.beforeTree = Data(before?.tree.bytes ?? [])
    wire.after = Data(after.revision.bytes)
    wire.afterTree = Data(after.tree.bytes)
    wire.commit = Data(commit)
    wire.sequence = sequence
    wire.previous = Data(previous?.bytes ?? [])
    wire.createdAt = createdAt.milliseconds
    wire.expiresAt = expiresAt.milliseconds
    if let payload { wire.payload = payload.wire }
    wire.descends = descends
    return encodeCanonically(wire)
  }

  package init(decoding bytes: [UInt8]) throws(FormatError) {
    let wire = try decodeCanonically(
      WireMessage.self, from: bytes, named: "message", byteCountMax: Limits.statementByteCountMax)
    try requireVersion(wire.version, of: "message")
    let recipients = try decodeRecipients(wire.recipients, of: "message")
    let stream = try StreamName(remote: wire.remote, ref: wire.ref, of: "message")
    try requireLimit(wire.commit.count, Limits.commitByteCountMax, field: "message.commit")
    try requireSequence(wire.sequence, of: "message")
    let previous: ContentDigest? =
      wire.previous.isEmpty ? nil : try name(wire.previous, field: "message.previous")
    guard wire.sequence > 1 || previous == nil else { throw .invalid(field: "message.previous") }
    guard
      let after = try Snapshot.decoding(
        wire.after, wire.afterTree, fields: ("message.after", "message.after_tree"))
    else {
      throw .invalid(field: "message.after")
    }
    let before = try Snapshot.decoding(
      wire.before, wire.beforeTree, fields: ("message.before", "message.before_tree"))
    guard wire.hasPayload || before?.tree == after.tree && !wire.commit.isEmpty else {
      throw .invalid(field: "message.payload")
    }
    guard before != nil || wire.payload.kind != .replacement else {
      throw .invalid(field: "message.payload.kind")
    }
    guard before != nil || !wire.descends else { throw .invalid(field: "message.descends") }
    self.init(
      signer: try name(wire.signer, field: "message.signer"), recipients: recipients,
      stream: stream, before: before, after: after, commit: Array(wire.commit),
      sequence: wire.sequence, previous: previous,
      createdAt: try time(wire.createdAt, field: "message.created_at"),
      expiresAt: try time(wire.expiresAt, field: "message.expires_at"),
      payload: wire.hasPayload ? try PayloadDescription(wire.payload) : nil,
      descends: wire.descends)
  }
}

extension Snapshot {
  /// `nil`: both are absent.
  static func decoding(
    _ revision: Data, _ tree: Data, fields: (revision: String, tree: String)
  ) throws(FormatError) -> Snapshot? {
    if revision.isEmpty && tree.isEmpty { return nil }
    guard let revision = ObjectID(bytes: revision), !revision.isZero else {
      throw .invalid(field: fields.revision)
    }
    guard let tree = ObjectID(bytes: tree), !tree.isZero else { throw .invalid(field: fields.tree) }
    return Snapshot(revision: revision, tree: tree)
  }
}

extension PayloadDescription.Kind {
  fileprivate var wire: WirePayload.Kind {
    switch self {
    case .patch: .patch
    case .pack: .pack
    case .replacement: .replacement
    }
  }
}

extension PayloadDescription {
  fileprivate var wire: WirePayload {
    var wire = WirePayload()
    wire.kind = kind.wire
    wire.digest = Data(digest.bytes)
    wire.size = size
    wire.inflatedSize = inflatedSize
    if let largeFiles { wire.largeFiles = largeFiles.wire }
    if let submodules { wire.submodules = submodules.wire }
    return wire
  }

  init(_ wire: WirePayload) throws(FormatError) {
    switch wire.kind {
    case .patch: kind = .patch
    case .pack: kind = .pack
    case .replacement: kind = .replacement
    case .unspecified, .UNRECOGNIZED: throw .invalid(field: "message.payload.kind")
    }
    digest = try name(wire.digest, field: "message.payload.digest")
    try requireLimit(
      wire.inflatedSize, Limits.payloadInflatedByteCountMax, field: "message.payload.inflated_size")
    largeFiles = wire.hasLargeFiles ? try LargeFilesDescription(wire.largeFiles) : nil
    guard largeFiles?.size ?? 0 <= wire.inflatedSize else {
      throw .invalid(field: "message.payload.large_files.size")
    }
    submodules = wire.hasSubmodules ? try SubmodulesDescription(wire.submodules) : nil
    let contentSize = wire.inflatedSize - (largeFiles?.size ?? 0)
    guard submodules?.size ?? 0 <= contentSize else {
      throw .invalid(field: "message.payload.submodules.size")
    }
    if kind == .patch {
      try requireLimit(
        contentSize - (submodules?.size ?? 0), UInt64(Limits.patchByteCountMax),
        field: "message.payload.inflated_size")
    }
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
