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

  package var ids: some Sequence<ObjectID> {
    (0..<count).lazy.compactMap { position in
      let start = Self.idStart + position * ObjectID.byteCount
      return ObjectID(bytes: bytes[start..<start + ObjectID.byteCount])
    }
  }

  package func contains(_ id: ObjectID) -> Bool {
    let wanted = id.bytes
    let first = Int(wanted[0])
    var range = (first == 0 ? 0 : fanout(first - 1))..<fanout(first)
    while !range.isEmpty {
      let middle = (range.lowerBound + range.upperBound) / 2
      let order = order(middle, wanted)
      if order == 0 { return true }
      range = order < 0 ? (middle + 1)..<range.upperBound : range.lowerBound..<middle
    }
    return false
  }

  /// How many ids begin with this byte or a smaller one.
  private func fanout(_ byte: Int) -> Int {
    let start = Self.idStart - 4 * (256 - byte)
    let value = (0..<4).reduce(0) { $0 << 8 | Int(bytes[start + $1]) }
    return min(value, count)
  }

  /// Negative, zero or positive, as the id at this place comes before, is, or comes after the wanted one.
  private func order(_ index: Int, _ wanted: [UInt8]) -> Int {
    let (ids, wanted) = (bytes.span, wanted.span)
    let start = Self.idStart + index * ObjectID.byteCount
    for offset in 0..<ObjectID.byteCount where ids[start + offset] != wanted[offset] {
      return Int(ids[start + offset]) - Int(wanted[offset])
    }
    return 0
  }
}
