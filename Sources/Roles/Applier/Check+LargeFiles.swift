import Compression
import Git
import GitModel
import LargeFiles
import MessageFormat
import Patching
import Sealing

/// The large files of a checked patch.
struct CheckedLargeFiles {
  /// What is written in the place of pointers; nothing where the signer leaves them.
  var contents: [TreePath: LargeFilePointer] = [:]
  /// What came with the message, whole and with the right digests, and not yet in the store.
  var incoming: IncomingLargeFiles?
}

/// What came behind a patch or pack.
struct Accompaniment {
  let largeFiles: IncomingLargeFiles?
  /// The commits of submodules.
  let submodules: QuarantinedPack?
}

// The parts of a payload: a patch or pack, then large files, then submodules.
extension Check {
  /// The first part goes to `content` as it comes, the second one to files beside the store, the third one into quarantine.
  func inflate(
    _ payload: OpenedPayload, content: (Span<UInt8>) throws -> Void
  ) throws -> Accompaniment {
    let description = payload.description
    var largeFiles = try receiver(of: description)
    let submodules = try submoduleReceiver(of: description)
    var decompressor = try Decompressor(outputByteCountMax: Int(description.inflatedSize))
    var rest = Int(description.contentSize)
    var largeFilesRest = Int(description.largeFiles?.size ?? 0)
    var byteCount = 0
    try payload.buffer.forEachPiece { piece, _ in
      do throws(StreamError<any Error>) {
        try decompressor.write(piece) { (span: Span<UInt8>) throws(any Error) in
          byteCount += span.count
          let count = min(rest, span.count)
          if count > 0 { try content(span.extracting(0..<count)) }
          rest -= count
          let end = min(span.count, count + largeFilesRest)
          if count < end { try largeFiles?.append(span.extracting(count..<end)) }
          largeFilesRest -= end - count
          if end < span.count { try submodules?.append(span.extracting(end..<span.count)) }
        }
      } catch {
        switch error {
        case .stream(let error): throw error
        case .sink(let error): throw error
        }
      }
    }
    try decompressor.finish()
    try requireSize(byteCount, of: description)
    return Accompaniment(
      largeFiles: try largeFiles?.finish(), submodules: try submodules?.finish())
  }

  private func receiver(of description: PayloadDescription) throws -> LargeFileReceiver? {
    guard let largeFiles = description.largeFiles, largeFiles.count > 0 else { return nil }
    try requireRoom(for: largeFiles.size, of: "large files")
    return try LargeFileReceiver(largeFiles, into: batch.checkout.largeFiles)
  }

  /// For what comes beside the patch, and is written `copyCount` times.
  func requireRoom(for byteCount: UInt64, of what: String, copyCount: Int = 1) throws {
    let limit = batch.checkout.settings.limits.byteCountMax
    guard byteCount <= UInt64(limit) else {
      throw Refused(
        .overLimit,
        "the message has \(byteCount) bytes of \(what), over the limit of \(limit); 'limits:' of the checkout"
      )
    }
    var room = Room()
    for _ in 0..<copyCount { room.add(packOf: Int(clamping: byteCount)) }
    try room.require(at: batch.checkout.repository.commonDirectory)
  }

  /// What is written in the place of the pointers at the new sides of changes; each of the contents came now or before, and
  /// nothing came that no pointer names.
  func largeFiles(
    of message: Message, at changes: [TreeChange], _ incoming: IncomingLargeFiles?,
    in objects: ObjectOverlay
  ) throws -> CheckedLargeFiles {
    guard message.payload?.largeFiles != nil else { return CheckedLargeFiles() }
    var tree = TreeLargeFiles(of: message.after.tree, in: objects)
    let contents = try tree.pointers(at: changes)
    let shipped = Set(incoming?.pointers ?? [])
    var unnamed = shipped.subtracting(contents.values)
    if !unnamed.isEmpty, message.payload?.kind == .replacement {
      let all = try objects.base.changes(from: nil, to: message.after.tree, limits: .counted)
      unnamed.subtract(try tree.pointers(at: all).values)
    }
    if let first = unnamed.first {
      throw Refused(.invalidLargeFile, "no pointer names the large file \(first.abbreviated)")
    }
    for (path, pointer) in contents where !shipped.contains(pointer) {
      guard
        try batch.hasIncoming(pointer) || batch.checkout.largeFiles.contains(pointer)
      else {
        throw Refused(
          .largeFileMissing,
          "\(path): its content, \(pointer.abbreviated), was not shipped, now or before")
      }
    }
    return CheckedLargeFiles(contents: contents, incoming: incoming)
  }
}
