import MessageFormat

/// Parts of broker's messages until each is whole; by what number each is held.
struct PieceAssembly {
  enum Outcome: Equatable {
    case waiting
    /// The same part is here already.
    case duplicate
    case whole([UInt8], [UInt64])
  }

  private struct Piece {
    var parts: [Int: (bytes: [UInt8], key: UInt64)] = [:]
    /// The place in the order in which they were begun.
    let age: UInt64
  }

  /// 8 MiB. More than that is no message's that is under way: one request has what belongs together.
  private static let pieceCountMax = 64

  private var pieces: [BrokerPart.Whole: Piece] = [:]
  private var begunCount: UInt64 = 0

  var keys: [UInt64] { pieces.values.flatMap { $0.parts.values.map(\.key) } }

  mutating func take(_ part: BrokerPart, _ key: UInt64) -> Outcome {
    if pieces[part.whole] == nil {
      begunCount += 1
      pieces[part.whole] = Piece(age: begunCount)
    }
    guard var piece = pieces[part.whole], piece.parts[part.number] == nil else { return .duplicate }
    piece.parts[part.number] = (part.bytes, key)
    pieces[part.whole] = piece
    guard piece.parts.count == part.whole.partCount else { return .waiting }
    pieces[part.whole] = nil
    let parts = piece.parts.sorted { $0.key < $1.key }.map(\.value)
    return .whole(parts.flatMap(\.bytes), parts.map(\.key))
  }

  /// Where there are too many, the parts of the oldest; they will not be whole any more.
  mutating func takeExcess() -> [UInt64] {
    guard pieces.count > Self.pieceCountMax,
      let oldest = pieces.min(by: { $0.value.age < $1.value.age })
    else { return [] }
    pieces[oldest.key] = nil
    return oldest.value.parts.values.map(\.key)
  }
}
