import Mailboxes
import MessageFormat
import SharedFiles
import Sodium

/// Puts one message into one depositor's folder: its files, then its manifest. What an earlier run has finished of it is kept.
struct MessageDeposit {
  let message: StoredMessage
  let mailbox: Mailbox
  let depositor: Mailbox
  let slot: Slot?
  let written: UInt64
  let fileByteCount: UInt64

  /// All is durable when it returns. `proceed` is called now and then with the bytes that are done, and ends it by an error.
  func run(
    _ records: ChunkRecords, into folder: Folder, proceed: (UInt64) throws -> Void
  ) throws -> Manifest {
    let end = Manifest.contentByteCount(of: message.size)
    try folder.requireRoom(for: message.id, end, fileByteCount: fileByteCount)
    let digest = RunningDigest()
    var (begin, index) = (UInt64(0), 0)
    while begin < end {
      let range = begin..<min(end, begin + fileByteCount)
      let name = DirectoryLayout.fileName(of: message.id, index)
      let isThere = try holds(range, of: records, in: name, folder, proceed: proceed)
      if isThere {
        try forEachPiece(of: range, in: records, proceed: proceed) { digest.update($0) }
      } else {
        try folder.place(name) { file in
          try forEachPiece(of: range, in: records, proceed: proceed) { piece in
            try file.append(piece)
            digest.update(piece)
          }
        }
      }
      (begin, index) = (range.upperBound, index + 1)
    }
    let manifest = Manifest(
      id: message.id, mailbox: mailbox, depositor: depositor, slot: slot, written: written,
      size: message.size, fileByteCount: fileByteCount, digest: digest.finish())
    for index in 0..<manifest.fileCount {
      // Whatever else works in the folder: no manifest comes before all of its files.
      let size = try folder.status(of: manifest.fileName(index))?.size
      guard size == manifest.byteCount(ofFile: index) else {
        throw DirectoryError.damaged(
          path: folder.path, reason: "\(manifest.fileName(index)) was removed meanwhile")
      }
    }
    try folder.place(manifest)
    return manifest
  }

  private func forEachPiece(
    of range: Range<UInt64>, in records: ChunkRecords, proceed: (UInt64) throws -> Void,
    _ body: ([UInt8]) throws -> Void
  ) throws {
    var offset = range.lowerBound
    while offset < range.upperBound {
      let piece = try records.piece(at: offset, end: range.upperBound)
      try body(Array(piece))
      offset += UInt64(piece.count)
      try proceed(offset)
    }
  }

  /// Whether a file of that name has these very bytes: one that somebody has changed is written anew.
  private func holds(
    _ range: Range<UInt64>, of records: ChunkRecords, in name: String, _ folder: Folder,
    proceed: (UInt64) throws -> Void
  ) throws -> Bool {
    let file: FolderFile
    do {
      guard let existing = try folder.file(name), existing.size == UInt64(range.count) else {
        return false
      }
      file = existing
    } catch FolderError.unexpectedKind {
      return false
    }
    var offset = range.lowerBound
    while offset < range.upperBound {
      let piece = try records.piece(at: offset, end: range.upperBound)
      let bytes = try file.read(at: offset - range.lowerBound, countMax: piece.count)
      guard bytes == Array(piece) else { return false }
      offset += UInt64(piece.count)
      try proceed(range.lowerBound)
    }
    return true
  }
}
