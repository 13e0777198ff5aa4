package import GitModel

/// The ids of the objects in one pack, as its index lists them: in order, each once.
///
/// Source: gitformat-pack(5), "pack-*.idx files", version 2.
package struct PackIndex: Sendable {
  private static let idStart = 8 + 256 * 4

  private let bytes: [UInt8]
  package let count: Int

  init(path: String) throws(GitError) {
    bytes = try SystemFile.read(path) ?? []
    guard bytes.starts(with: [0xff, 0x74, 0x4f, 0x63, 0, 0, 0, 2]), bytes.count >= Self.idStart
    else { throw .malformedPack(.corrupt) }
    count = bytes[(Self.idStart - 4)..<Self.idStart].reduce(0) { $0 << 8 | Int($1) }
    guard bytes.count >= Self.idStart + count * ObjectID.byteCount else {
      throw .malformedPack(.corrupt)
    }
  }

  package func contains(_ id: ObjectID) -> Bool {
    let wanted = id.bytes
    var range = 0..<count
    while !range.isEmpty {
      let middle = (range.lowerBound + range.upperBound) / 2
      let start = Self.idStart + middle * ObjectID.byteCount
      let found = bytes[start..<start + ObjectID.byteCount]
      if found.elementsEqual(wanted) { return true }
      let isBefore = found.lexicographicallyPrecedes(wanted)
      range = isBefore ? (middle + 1)..<range.upperBound : range.lowerBound..<middle
    }
    return false
  }
}
