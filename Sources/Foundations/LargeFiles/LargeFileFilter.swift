import GitModel

/// What git asks for between its objects and the files of a working copy, where git-lfs is not installed.
///
/// Source: gitattributes(5), "filter"; git-lfs-clean(1), git-lfs-smudge(1).
package struct LargeFileFilter {
  private let store: LargeFileStore

  package init(_ store: LargeFileStore) { self.store = store }

  /// From a file to what git stores for it: a pointer, whose content goes into the store. A pointer stays what it is.
  package func clean(
    _ read: () throws -> [UInt8], write: (Span<UInt8>) throws -> Void
  ) throws {
    let (start, isAll) = try Self.start(read)
    if start.isEmpty { return }
    if isAll, LargeFilePointer(start) != nil { return try write(start.span) }
    let incoming = try IncomingLargeFiles(for: store)
    try incoming.begin(nil)
    try incoming.append(start.span)
    while true {
      let piece = try read()
      if piece.isEmpty { break }
      try incoming.append(piece.span)
    }
    guard let pointer = try incoming.finish() else { return }
    if try !store.contains(pointer) { try incoming.publish() }
    try write(pointer.text.span)
  }

  /// From what git stores to the file: the content, where the store has it, and otherwise what git stores.
  package func smudge(
    _ read: () throws -> [UInt8], write: (Span<UInt8>) throws -> Void
  ) throws {
    let (start, isAll) = try Self.start(read)
    if isAll, let pointer = LargeFilePointer(start), try store.contains(pointer) {
      do throws(LargeFileReading<any Error>) {
        return try store.read(pointer) { (piece: Span<UInt8>) throws(any Error) in try write(piece)
        }
      } catch {
        switch error {
        case .store(let error): throw error
        case .body(let error): throw error
        }
      }
    }
    try write(start.span)
    while true {
      let piece = try read()
      if piece.isEmpty { return }
      try write(piece.span)
    }
  }

  /// Enough to tell a pointer, and whether it is all.
  private static func start(_ read: () throws -> [UInt8]) throws -> ([UInt8], isAll: Bool) {
    var start: [UInt8] = []
    while start.count <= LargeFilePointer.textByteCountMax {
      let piece = try read()
      if piece.isEmpty { return (start, true) }
      start += piece
    }
    return (start, false)
  }
}
