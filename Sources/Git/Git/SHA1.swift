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
      unsafe withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 80) { words in
        for block in stride(from: 0, to: blocks.count, by: Self.blockByteCount) {
          for index in 0..<16 {
            unsafe words[index] = UInt32(
              bigEndian: blocks.loadUnaligned(fromByteOffset: block &+ 4 &* index, as: UInt32.self))
          }
          for index in 16..<80 {
            let next =
              unsafe words[index &- 3] ^ words[index &- 8] ^ words[index &- 14] ^ words[index &- 16]
            unsafe words[index] = next << 1 | next >> 31
          }
          unsafe Self.mix(&state, words)
        }
      }
    }
  }

  /// The eighty rounds for one block.
  @inline(__always)
  private static func mix(_ state: inout State, _ words: UnsafeMutableBufferPointer<UInt32>) {
    var mixed = state
    unsafe rounds(0, 0x5a82_7999, &mixed, words) { $2 ^ ($0 & ($1 ^ $2)) }
    unsafe rounds(20, 0x6ed9_eba1, &mixed, words) { $0 ^ $1 ^ $2 }
    unsafe rounds(40, 0x8f1b_bcdc, &mixed, words) { ($0 & $1) | ($2 & ($0 | $1)) }
    unsafe rounds(60, 0xca62_c1d6, &mixed, words) { $0 ^ $1 ^ $2 }
    state = (
      state.0 &+ mixed.0, state.1 &+ mixed.1, state.2 &+ mixed.2, state.3 &+ mixed.3,
      state.4 &+ mixed.4
    )
  }

  /// Twenty rounds; after five of them each word of the state is back in its place, so none is moved.
  @inline(__always)
  private static func rounds(
    _ first: Int, _ constant: UInt32, _ state: inout State,
    _ words: UnsafeMutableBufferPointer<UInt32>, _ choose: (UInt32, UInt32, UInt32) -> UInt32
  ) {
    var (a, b, c, d, e) = state
    for index in stride(from: first, to: first &+ 20, by: 5) {
      unsafe round(a, &b, choose(b, c, d), &e, constant &+ words[index])
      unsafe round(e, &a, choose(a, b, c), &d, constant &+ words[index &+ 1])
      unsafe round(d, &e, choose(e, a, b), &c, constant &+ words[index &+ 2])
      unsafe round(c, &d, choose(d, e, a), &b, constant &+ words[index &+ 3])
      unsafe round(b, &c, choose(c, d, e), &a, constant &+ words[index &+ 4])
    }
    state = (a, b, c, d, e)
  }

  @inline(__always)
  private static func round(
    _ a: UInt32, _ b: inout UInt32, _ chosen: UInt32, _ e: inout UInt32, _ added: UInt32
  ) {
    e = (e &+ added &+ chosen) &+ (a << 5 | a >> 27)
    b = b << 30 | b >> 2
  }
}
