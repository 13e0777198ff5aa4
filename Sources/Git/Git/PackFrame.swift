/// What makes bytes no pack of ours.
package enum PackFault: String, Sendable, Hashable, CaseIterable {
  case notPack = "does not begin like a pack of version 2"
  case empty = "has no object"
  case kindNotAllowed = "has an object that is no whole commit, tree or blob"
  case sizeNotCanonical = "spells the size of an object the long way"
  case notStored = "has an object that is not stored as it is, in the fewest blocks"
  case trailingBytes = "goes on after its end"
  case truncated = "ends too early"
  case duplicate = "has an object twice"
  case corrupt = "has a checksum that does not fit"
}

/// Follows the frame of a pack as it comes in, so that no size is a surprise to what reads the
/// content: every object's is known and within the limit before its first byte, and inflating gives
/// exactly what went in.
struct PackFrame {
  private enum Field {
    case header, entry, zlibHeader, blockHeader, checksum, trailer
  }
  private enum State {
    case field(Field, byteCount: Int)
    case blockContent(missing: Int)
    case ended
  }

  /// Known after the header.
  private(set) var objectCount = 0

  private let limits: PackLimits
  private var state: State = .field(.header, byteCount: 12)
  private var field: [UInt8] = []
  private var missingObjectCount = 0
  /// Of the current object, without the current block.
  private var missingByteCount = 0

  init(limits: PackLimits) { self.limits = limits }

  mutating func follow(_ piece: Span<UInt8>) throws(GitError) {
    var position = 0
    while position < piece.count {
      switch state {
      case .ended: throw .malformedPack(.trailingBytes)
      case .blockContent(let missing):
        let count = min(missing, piece.count - position)
        position += count
        state = .blockContent(missing: missing - count)
        if count == missing { beginAfterBlock() }
      case .field(let kind, let byteCount):
        field.append(piece[position])
        position += 1
        if kind == .entry ? piece[position - 1] < 0x80 : field.count == byteCount {
          try close(kind)
          field.removeAll(keepingCapacity: true)
        } else if kind == .entry && field.count == 9 {
          throw .malformedPack(.sizeNotCanonical)
        }
      }
    }
  }

  func finish() throws(GitError) {
    guard case .ended = state else { throw .malformedPack(.truncated) }
  }

  private mutating func close(_ kind: Field) throws(GitError) {
    switch kind {
    case .header: try closeHeader()
    case .entry: try closeEntry()
    case .zlibHeader:
      guard field == PackStream.zlibHeader else { throw .malformedPack(.notStored) }
      state = .field(.blockHeader, byteCount: 5)
    case .blockHeader: try closeBlockHeader()
    case .checksum:
      missingObjectCount -= 1
      state =
        missingObjectCount == 0
        ? .field(.trailer, byteCount: 20) : .field(.entry, byteCount: 1)
    case .trailer: state = .ended
    }
  }

  private mutating func closeHeader() throws(GitError) {
    let words = [4, 8].map { start in
      field[start..<start + 4].reduce(0) { $0 << 8 | Int($1) }
    }
    guard field.starts(with: PackStream.signature), words[0] == PackStream.version else {
      throw .malformedPack(.notPack)
    }
    missingObjectCount = words[1]
    objectCount = missingObjectCount
    guard missingObjectCount > 0 else { throw .malformedPack(.empty) }
    guard missingObjectCount <= limits.objectCountMax else {
      throw .tooManyPackedObjects(count: missingObjectCount, countMax: limits.objectCountMax)
    }
    state = .field(.entry, byteCount: 1)
  }

  private mutating func closeEntry() throws(GitError) {
    let kinds: [ObjectKind] = [.commit, .tree, .blob]
    let code = field[0] >> 4 & 7
    guard kinds.contains(where: { PackStream.code(of: $0) == code }) else {
      throw .malformedPack(.kindNotAllowed)
    }
    guard field.count == 1 || field[field.count - 1] != 0 else {
      throw .malformedPack(.sizeNotCanonical)
    }
    missingByteCount = Int(field[0] & 15)
    for (index, byte) in field.dropFirst().enumerated() {
      missingByteCount |= Int(byte & 0x7f) << (4 + 7 * index)
    }
    guard missingByteCount <= limits.objectByteCountMax else {
      throw .packedObjectTooLarge(
        byteCount: missingByteCount, byteCountMax: limits.objectByteCountMax)
    }
    state = .field(.zlibHeader, byteCount: 2)
  }

  private mutating func closeBlockHeader() throws(GitError) {
    let count = min(missingByteCount, PackStream.blockByteCountMax)
    missingByteCount -= count
    let (low, high) = (UInt8(count & 0xff), UInt8(count >> 8))
    guard field == [missingByteCount == 0 ? 1 : 0, low, high, ~low, ~high] else {
      throw .malformedPack(.notStored)
    }
    state = .blockContent(missing: count)
    if count == 0 { beginAfterBlock() }
  }

  private mutating func beginAfterBlock() {
    state =
      missingByteCount == 0
      ? .field(.checksum, byteCount: 4) : .field(.blockHeader, byteCount: 5)
  }
}
