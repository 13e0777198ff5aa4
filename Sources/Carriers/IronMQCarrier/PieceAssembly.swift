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
    var lastHeard: ContinuousClock.Instant
  }

  /// 8 MiB. More than that is no message's that is under way: one request has what belongs together.
  private static let pieceCountMax = 64

  private var pieces: [BrokerPart.Whole: Piece] = [:]

  var keys: [UInt64] { pieces.values.flatMap { $0.parts.values.map(\.key) } }

  mutating func take(
    _ part: BrokerPart, _ key: UInt64, at now: ContinuousClock.Instant
  ) -> Outcome {
    var piece = pieces[part.whole] ?? Piece(lastHeard: now)
    guard piece.parts[part.number] == nil else { return .duplicate }
    piece.parts[part.number] = (part.bytes, key)
    piece.lastHeard = now
    pieces[part.whole] = piece
    guard piece.parts.count == part.whole.partCount else { return .waiting }
    pieces[part.whole] = nil
    let parts = piece.parts.sorted { $0.key < $1.key }.map(\.value)
    return .whole(parts.flatMap(\.bytes), parts.map(\.key))
  }

  /// The parts of what will not be whole any more: nothing of it has come for too long, or there are too many.
  mutating func takeExcess(
    idleFor patience: Duration, at now: ContinuousClock.Instant
  ) -> [UInt64] {
    var excess = pieces.filter { $0.value.lastHeard + patience <= now }
    if excess.isEmpty, pieces.count > Self.pieceCountMax,
      let oldest = pieces.min(by: { $0.value.lastHeard < $1.value.lastHeard })
    {
      excess = [oldest.key: oldest.value]
    }
    for whole in excess.keys { pieces[whole] = nil }
    return excess.values.flatMap { $0.parts.values.map(\.key) }
  }
}
