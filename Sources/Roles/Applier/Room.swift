import Git
import GitModel
import Host

/// What a step is going to write, known before it writes anything.
struct Room {
  /// What a small file takes: one block, and a share of its directory and of the journal.
  private static let fileByteCount: UInt64 = 4_096
  /// What stays free for everyone else.
  private static let reserveByteCount: UInt64 = 1 << 20

  private(set) var byteCount: UInt64 = 0
  private(set) var fileCount: UInt64 = 0

  mutating func add(fileOf byteCount: Int) {
    fileCount += 1
    let blocks = (UInt64(byteCount) + Self.fileByteCount - 1) / Self.fileByteCount
    self.byteCount += max(blocks, 1) * Self.fileByteCount
  }

  /// A whole tree.
  mutating func add(filesOf totals: TreeTotals) {
    let names = UInt64(totals.pathCount + totals.directoryCount)
    fileCount += names
    byteCount += UInt64(totals.byteCount) + names * Self.fileByteCount
  }

  mutating func add(packOf byteCount: Int) { self.byteCount += UInt64(byteCount) }

  /// - Throws: `StepFault.insufficientSpace`.
  func require(at path: String) throws {
    if byteCount == 0 { return }
    let space = try DiskSpace(at: path)
    let needed = byteCount + min(Self.reserveByteCount, space.byteCount / 64)
    let hasNodes = space.freeNodeCount.map { $0 >= fileCount } ?? true
    guard space.freeByteCount >= needed, hasNodes else {
      throw StepFault.insufficientSpace(
        path: path, neededByteCount: needed, freeByteCount: space.freeByteCount)
    }
  }
}
