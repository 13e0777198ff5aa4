import Compression
import Git
import MessageFormat
import Sealing
import Sodium

/// A patch and its compressed payload: what does not depend on a message's number or recipients.
struct PreparedPatch {
  let patch: Patch
  let payload: PayloadBuffer
  let description: PayloadDescription
}

/// A message and the compressed payload that it names by digest.
struct EnclosedMessage {
  let message: Message
  let payload: PayloadBuffer
}

/// The second stage: from a patch to a message with its payload.
struct Enclose {
  let identity: Identity
  let objects: ObjectDatabase
  let spoolDirectory: String
  let lifetimeMilliseconds: UInt64
  let progress: SendProgress

  func prepare(_ patch: Patch) throws -> PreparedPatch {
    let payload = PayloadBuffer(directory: spoolDirectory)
    let inflatedSize = try write(patch.content, to: payload)
    guard inflatedSize <= Limits.payloadInflatedByteCountMax else {
      throw SignerError.overLimit(
        what: "the payload", limit: Limits.payloadInflatedByteCountMax, actual: inflatedSize)
    }
    let kind: PayloadDescription.Kind =
      switch patch.content {
      case .text: .patch
      case .pack: .pack
      case .replacement: .replacement
      }
    let description = PayloadDescription(
      kind: kind, digest: payload.finish(), size: payload.byteCount, inflatedSize: inflatedSize)
    return PreparedPatch(patch: patch, payload: payload, description: description)
  }

  func enclose(
    _ prepared: PreparedPatch, for recipients: [PublicIdentity], behind head: StreamHead?,
    at now: Timestamp
  ) -> EnclosedMessage {
    let patch = prepared.patch
    let message = Message(
      signer: identity.public.mailbox, recipients: recipients.map(\.mailbox),
      stream: patch.update.stream, before: patch.before,
      after: patch.after, commit: patch.commit, sequence: Self.sequence(behind: head, at: now),
      previous: head?.digest, createdAt: now,
      expiresAt: now.adding(milliseconds: lifetimeMilliseconds), payload: prepared.description,
      descends: patch.descends)
    return EnclosedMessage(message: message, payload: prepared.payload)
  }

  /// A state that remembers nothing begins with the time: above all that a lost one has used.
  private static func sequence(behind head: StreamHead?, at now: Timestamp) -> UInt64 {
    head.map { $0.sequence + 1 } ?? max(1, now.milliseconds)
  }

  /// Compressed; returns the size before compression.
  private func write(_ content: Patch.Content, to payload: PayloadBuffer) throws -> UInt64 {
    var compressor = try Compressor()
    var inflatedSize: UInt64 = 0
    switch content {
    case .text(let text):
      try compressor.write(text) { try payload.append($0) }
      inflatedSize = UInt64(text.count)
    case .pack(let packed, _), .replacement(let packed):
      var stream = PackStream(packed, from: objects)
      while let piece = try stream.next() {
        try compressor.write(piece) { try payload.append($0) }
        inflatedSize += UInt64(piece.count)
        progress.report(.packing, done: UInt64(stream.position), of: UInt64(packed.count))
      }
    }
    try compressor.finish { try payload.append($0) }
    return inflatedSize
  }
}
