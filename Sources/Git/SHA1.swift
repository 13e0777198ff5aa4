import GitModel

/// SHA-1 over bytes that come in pieces: what git names objects and ends packs with. It proves
/// nothing to anyone; that an object is the right one follows from signatures elsewhere.
///
/// Source: RFC 3174. libgit2 has no hash of its own for streams.
struct SHA1 {
  private static let blockByteCount = 64
  private static let start: State = (
    0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0
  )
  private typealias State = (UInt32, UInt32, UInt32, UInt32, UInt32)

  private var state = start
  private var byteCount: UInt64 = 0
  /// The bytes of a block that is not full yet.
  private var pending: [UInt8] = []

  mutating func update(_ bytes: [UInt8]) { update(bytes.span) }

  mutating func update(_ bytes: Span<UInt8>) {
    byteCount += UInt64(bytes.count)
    var position = 0
    if !pending.isEmpty {
      position = min(Self.blockByteCount - pending.count, bytes.count)
      append(bytes, 0..<position)
      guard pending.count == Self.blockByteCount else { return }
      let block = pending
      process(block.span)
      pending.removeAll(keepingCapacity: true)
    }
    let end = bytes.count - (bytes.count - position) % Self.blockByteCount
    process(bytes.extracting(position..<end))
    append(bytes, end..<bytes.count)
  }

  private mutating func append(_ bytes: Span<UInt8>, _ range: Range<Int>) {
    for position in range { pending.append(bytes[position]) }
  }

  /// The 20 bytes; nothing may be added after.
  mutating func finish() -> [UInt8] {
    let bitCount = byteCount * 8
    update([0x80])
    update([UInt8](repeating: 0, count: (120 - pending.count) % Self.blockByteCount))
    update((0..<8).map { UInt8(truncatingIfNeeded: bitCount >> (56 - 8 * $0)) })
    return [state.0, state.1, state.2, state.3, state.4].flatMap { word in
      (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * $0)) }
    }
  }

  private mutating func process(_ blocks: Span<UInt8>) {
    unsafe blocks.withUnsafeBytes { blocks in
      unsafe withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 16) { words in
        for block in stride(from: 0, to: blocks.count, by: Self.blockByteCount) {
          for index in 0..<16 {
            unsafe words[index] = UInt32(
              bigEndian: blocks.loadUnaligned(fromByteOffset: block + 4 * index, as: UInt32.self))
          }
          unsafe Self.mix(&state, words)
        }
      }
    }
  }

  /// The eighty rounds for one block; `words` is a ring of the last sixteen.
  @inline(__always)
  private static func mix(_ state: inout State, _ words: UnsafeMutableBufferPointer<UInt32>) {
    var (a, b, c, d, e) = state
    for round in 0..<80 {
      let ring = round & 15
      if round >= 16 {
        let next =
          unsafe words[(round &+ 13) & 15] ^ words[(round &+ 8) & 15]
          ^ words[(round &+ 2) & 15] ^ words[ring]
        unsafe words[ring] = next << 1 | next >> 31
      }
      let mixed: UInt32
      switch round {
      case 0..<20: mixed = (d ^ (b & (c ^ d))) &+ 0x5a82_7999
      case 20..<40: mixed = (b ^ c ^ d) &+ 0x6ed9_eba1
      case 40..<60: mixed = ((b & c) | (d & (b | c))) &+ 0x8f1b_bcdc
      default: mixed = (b ^ c ^ d) &+ 0xca62_c1d6
      }
      let next = unsafe (a << 5 | a >> 27) &+ mixed &+ e &+ words[ring]
      (e, d, c, b, a) = (d, c, b << 30 | b >> 2, a, next)
    }
    state = (state.0 &+ a, state.1 &+ b, state.2 &+ c, state.3 &+ d, state.4 &+ e)
  }
}
