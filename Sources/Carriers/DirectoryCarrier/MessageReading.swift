import MessageFormat
import Sealing
import SharedFiles

/// Reads the chunks of a message from its files, one after the other, and at the end compares them with the manifest.
final class MessageReading {
  private let folder: Folder
  private let manifest: Manifest
  private let digest = RunningDigest()
  private var file: FolderFile?
  private var fileIndex = 0
  private var fileOffset: UInt64 = 0
  private var chunkCount: UInt32 = 0

  init(_ manifest: Manifest, in folder: Folder) {
    (self.manifest, self.folder) = (manifest, folder)
  }

  /// `nil` after the last one, and then all of it was what the manifest says. Throws `DirectoryError.damaged` where it is not.
  func next() throws -> [UInt8]? {
    guard chunkCount < manifest.size.chunkCount else {
      guard fileIndex == manifest.fileCount else { throw damage("is longer than its chunks") }
      guard digest.finish() == manifest.digest else {
        throw damage("is not what its manifest says")
      }
      return nil
    }
    let length = try take(ChunkRecords.headerByteCount).reduce(0) { $0 << 8 | Int($1) }
    guard (1...Limits.chunkByteCountMax).contains(length) else {
      throw damage("chunk \(chunkCount) has \(length) bytes")
    }
    let chunk = try take(length)
    guard chunkCount > 0 || MessageID(ofHeader: chunk) == manifest.id else {
      throw damage("is another message")
    }
    chunkCount += 1
    return chunk
  }

  private func take(_ count: Int) throws -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count {
      let file = try currentFile()
      let rest = manifest.byteCount(ofFile: fileIndex) - fileOffset
      let piece: [UInt8]
      do {
        piece = try file.read(
          at: fileOffset, countMax: min(count - bytes.count, Int(clamping: rest)))
      } catch {
        throw damage("\(error)")
      }
      guard !piece.isEmpty else { throw damage("ends early") }
      bytes += piece
      fileOffset += UInt64(piece.count)
      if fileOffset >= manifest.byteCount(ofFile: fileIndex) {
        (self.file, fileIndex, fileOffset) = (nil, fileIndex + 1, 0)
      }
    }
    digest.update(bytes)
    return bytes
  }

  private func currentFile() throws -> FolderFile {
    if let file { return file }
    guard fileIndex < manifest.fileCount else { throw damage("is shorter than its chunks") }
    let name = manifest.fileName(fileIndex)
    let next: FolderFile?
    do { next = try folder.file(name) } catch { throw damage("\(error)") }
    guard let next, next.size == manifest.byteCount(ofFile: fileIndex) else {
      throw damage("\(name) is missing, or has another size than announced")
    }
    file = next
    return next
  }

  private func damage(_ reason: String) -> DirectoryError {
    .damaged(path: folder.path + "/" + manifest.name, reason: reason)
  }
}
