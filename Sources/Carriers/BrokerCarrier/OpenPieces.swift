/// Pieces that were published and have no answer, by their numbers of this connection.
struct OpenPieces {
  private struct Piece {
    let key: Upload.Key
    let byteCount: Int
  }

  /// Small pieces are many: a broker that syncs its disk confirms at once all that came meanwhile.
  private static let countMax = 512
  /// More than a broker needs to be busy; one piece besides.
  private static let byteCountMax = 8 << 20

  private var pieces: [UInt64: Piece] = [:]
  private var byteCount = 0
  private(set) var lastNumber: UInt64 = 0
  /// None that is less has no answer.
  private var first: UInt64 = 1

  var isEmpty: Bool { pieces.isEmpty }
  var isFull: Bool { pieces.count >= Self.countMax || byteCount >= Self.byteCountMax }

  mutating func add(byteCount: Int, of key: Upload.Key) {
    lastNumber += 1
    pieces[lastNumber] = Piece(key: key, byteCount: byteCount)
    self.byteCount += byteCount
  }

  /// Those that have their answer by this, in their order.
  mutating func take(_ numbers: PublicationNumbers) -> [(number: UInt64, key: Upload.Key)] {
    // A broker may name numbers that never were.
    let last = min(numbers.last, lastNumber)
    let begin = numbers.includesEarlier ? first : numbers.last
    guard begin <= last else { return [] }
    var taken: [(number: UInt64, key: Upload.Key)] = []
    for number in begin...last {
      guard let piece = pieces.removeValue(forKey: number) else { continue }
      byteCount -= piece.byteCount
      taken.append((number, piece.key))
    }
    if numbers.includesEarlier { first = last + 1 }
    return taken
  }
}
