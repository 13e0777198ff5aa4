import Compression
import Git
import GitModel
import LargeFiles
import MessageFormat
import Sealing
import Sodium

/// A patch and its compressed payload: what does not depend on a message's number or recipients.
struct PreparedPatch {
  let patch: Patch
  /// `nil`: the files are the same.
  let payload: (buffer: PayloadBuffer, description: PayloadDescription)?
}

/// A message and the compressed payload that it names by digest.
struct EnclosedMessage {
  let message: Message
  let payload: PayloadBuffer?
}

/// The second stage: from a patch to a message with its payload.
struct Enclose {
  let identity: Identity
  let objects: ObjectDatabase
  let largeFiles: LargeFileStore
  let spoolDirectory: String
  let lifetimeMilliseconds: UInt64
  let progress: SendProgress

  func prepare(_ patch: Patch) throws -> PreparedPatch {
    guard let kind = patch.content.kind else { return PreparedPatch(patch: patch, payload: nil) }
    let payload = PayloadBuffer(directory: spoolDirectory)
    var compressor = try Compressor()
    var inflatedSize = try write(patch.content, with: &compressor, to: payload)
    let largeFiles = try patch.largeFiles.map {
      try write($0, of: patch.after.revision, with: &compressor, to: payload)
    }
    let submodules = try patch.submodules.map { try write($0, with: &compressor, to: payload) }
    inflatedSize += (largeFiles?.size ?? 0) + (submodules?.size ?? 0)
    try compressor.finish { try payload.append($0) }
    guard inflatedSize <= Limits.payloadInflatedByteCountMax else {
      throw SignerError.overLimit(
        what: "the payload", limit: Limits.payloadInflatedByteCountMax, actual: inflatedSize)
    }
    let description = PayloadDescription(
      kind: kind, digest: payload.finish(), size: payload.byteCount, inflatedSize: inflatedSize,
      largeFiles: largeFiles, submodules: submodules)
    return PreparedPatch(patch: patch, payload: (payload, description))
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
      expiresAt: now.adding(milliseconds: lifetimeMilliseconds),
      payload: prepared.payload?.description,
      descends: patch.descends)
    return EnclosedMessage(message: message, payload: prepared.payload?.buffer)
  }

  /// A state that remembers nothing begins with the time: above all that a lost one has used.
  private static func sequence(behind head: StreamHead?, at now: Timestamp) -> UInt64 {
    head.map { $0.sequence + 1 } ?? max(1, now.milliseconds)
  }

  /// Compressed; returns the size before compression.
  private func write(
    _ content: Patch.Content, with compressor: inout Compressor, to payload: PayloadBuffer
  ) throws -> UInt64 {
    var inflatedSize: UInt64 = 0
    switch content {
    case .sameTree: break
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
    return inflatedSize
  }

  private func write(
    _ pack: SubmodulePack, with compressor: inout Compressor, to payload: PayloadBuffer
  ) throws -> SubmodulesDescription {
    guard !pack.objects.isEmpty else { return SubmodulesDescription(count: 0, size: 0) }
    var size: UInt64 = 0
    var stream = pack.stream()
    while let piece = try stream.next() {
      try compressor.write(piece) { try payload.append($0) }
      size += UInt64(piece.count)
      progress.report(.packing, done: UInt64(stream.position), of: UInt64(pack.objects.count))
    }
    return SubmodulesDescription(count: pack.commitCount, size: size)
  }

  /// Each content is hashed on its way: one that is damaged does not leave.
  private func write(
    _ files: [LargeFile], of commit: ObjectID, with compressor: inout Compressor,
    to payload: PayloadBuffer
  ) throws -> LargeFilesDescription {
    var size: UInt64 = 0
    for file in files {
      try compressor.write(LargeFileHeader.encode(file.pointer)) { try payload.append($0) }
      do throws(LargeFileReading<any Error>) {
        try largeFiles.read(file.pointer) { (piece: Span<UInt8>) throws(any Error) in
          try compressor.write(piece) { try payload.append($0) }
        }
      } catch {
        switch error {
        case .store(let error):
          throw SignerError.largeFile(commit: commit, path: file.path, error)
        case .body(let error): throw error
        }
      }
      size += UInt64(LargeFileHeader.byteCount) + file.pointer.byteCount
    }
    return LargeFilesDescription(count: files.count, size: size)
  }
}

extension Patch.Content {
  /// `nil`: no payload.
  fileprivate var kind: PayloadDescription.Kind? {
    switch self {
    case .text: .patch
    case .pack: .pack
    case .replacement: .replacement
    case .sameTree: nil
    }
  }
}
