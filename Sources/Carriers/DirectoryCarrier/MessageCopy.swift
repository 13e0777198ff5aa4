import SharedFiles

/// One message from one directory to another: its files, compared with the manifest, then the manifest.
struct MessageCopy {
  private static let pieceByteCount = 256 * 1_024

  let manifest: Manifest
  let source: Folder
  let target: Folder

  /// Throws `DirectoryError.damaged` where the source is not what its manifest says, and leaves no file of it then.
  func run() throws {
    try target.requireRoom(
      for: manifest.id, manifest.contentByteCount, fileByteCount: manifest.fileByteCount)
    let digest = RunningDigest()
    for index in 0..<manifest.fileCount {
      let file = try sourceFile(index)
      let name = manifest.fileName(index)
      if try isSame(file, as: name) {
        try forEachPiece(of: file) { digest.update($0) }
      } else {
        try target.place(name) { copy in
          try forEachPiece(of: file) { piece in
            try copy.append(piece)
            digest.update(piece)
          }
        }
      }
    }
    guard digest.finish() == manifest.digest else {
      for index in 0..<manifest.fileCount { try target.remove(manifest.fileName(index)) }
      throw damage("is not what its manifest says")
    }
    try target.place(manifest)
  }

  private func sourceFile(_ index: Int) throws -> FolderFile {
    let name = manifest.fileName(index)
    let file: FolderFile?
    do { file = try source.file(name) } catch { throw damage("\(error)") }
    guard let file, file.size == manifest.byteCount(ofFile: index) else {
      throw damage("\(name) is missing, or has another size than announced")
    }
    return file
  }

  /// What an earlier run has copied whole is not copied once more.
  private func isSame(_ file: FolderFile, as name: String) throws -> Bool {
    let copy: FolderFile
    do {
      guard let existing = try target.file(name), existing.size == file.size else { return false }
      copy = existing
    } catch FolderError.unexpectedKind {
      return false
    }
    var offset: UInt64 = 0
    while offset < file.size {
      let piece = try read(file, at: offset)
      guard try copy.read(at: offset, countMax: piece.count) == piece else { return false }
      offset += UInt64(piece.count)
    }
    return true
  }

  private func forEachPiece(of file: FolderFile, _ body: ([UInt8]) throws -> Void) throws {
    var offset: UInt64 = 0
    while offset < file.size {
      let piece = try read(file, at: offset)
      try body(piece)
      offset += UInt64(piece.count)
    }
  }

  private func read(_ file: FolderFile, at offset: UInt64) throws -> [UInt8] {
    let count = Int(min(UInt64(Self.pieceByteCount), file.size - offset))
    let piece: [UInt8]
    do { piece = try file.read(at: offset, countMax: count) } catch { throw damage("\(error)") }
    guard piece.count == count else { throw damage("ends early") }
    return piece
  }

  private func damage(_ reason: String) -> DirectoryError {
    .damaged(path: source.path + "/" + manifest.name, reason: reason)
  }
}
