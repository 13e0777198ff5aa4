import GitModel
import PatchText
import Testing

@Suite struct BinaryTests {
  private static let old = Array("0123456789".utf8)
  private static let new = Array("01234abc89".utf8)
  /// Sizes 10 and 10; five bytes from 0, three new bytes, two bytes from 8.
  private static let delta: [UInt8] =
    [10, 10, 0x90, 5, 3] + Array("abc".utf8) + [0x91, 8, 2]

  @Test func `applies delta`() throws {
    let section = try change(delta: Self.delta)
    #expect(try section.apply(to: Self.old, byteCountMax: 10) == Self.new)
  }

  @Test func `copies sixty four kibibytes where the length is zero`() throws {
    let old = PatchCases.randomBytes(0x10000, seed: 1)
    // Size 0x10000 and, after it, 0x10001; all of the base, then one byte.
    let delta: [UInt8] = [0x80, 0x80, 4, 0x81, 0x80, 4, 0x80, 1, 7]
    let section = try change(forward: piece(.delta, delta), reverse: .literal(of: old))
    #expect(try section.apply(to: old, byteCountMax: 1 << 20) == old + [7])
  }

  @Test(
    arguments: [
      ([11, 10, 0x90, 10], ApplyFlaw.deltaBase),
      ([10, 10, 0x91, 1, 10], .delta),  // behind the base's end
      ([10, 10, 0x9f, 0xff, 0xff, 0xff, 0xff, 1], .delta),
      ([10, 10, 0x80], .delta),  // 64 KiB of a base of ten bytes
      ([10, 9, 0x90, 10], .delta),  // more than the result may have
      ([10, 2, 3, 1, 2, 3], .delta),
      ([10, 11, 0x90, 10], .delta),  // less
      ([10, 10, 0x90, 10, 0], .delta),  // the reserved instruction
      ([10, 10, 0x90], .delta),  // cut in a copy
      ([10, 10, 5, 1], .delta),  // cut in new bytes
      ([10], .delta),
      ([], .delta),
      ([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1, 10], .delta),
    ] as [([UInt8], ApplyFlaw)])
  func `refuses malformed delta`(_ delta: [UInt8], _ flaw: ApplyFlaw) throws {
    #expect(try applyFlaw(change(delta: delta), on: Self.old) == flaw)
  }

  @Test func `refuses delta whose result is over limit`() throws {
    let delta: [UInt8] = [10, 0xff, 0xff, 0xff, 0x7f, 0x90, 10]
    #expect(throws: PatchTextError.overLimit(.contentBytes, limit: 100, actual: 0xfff_ffff)) {
      try change(delta: delta).apply(to: Self.old, byteCountMax: 100)
    }
  }

  @Test func `refuses data that is not one complete zlib stream`() throws {
    let whole = BinaryPiece.literal(of: Self.new).deflated
    #expect(try flaw(deflated: whole) == nil)
    for end in 1..<whole.count {
      #expect(try flaw(deflated: Array(whole[..<end])) == .notDeflated, "cut at \(end)")
    }
    #expect(try flaw(deflated: whole + [0]) == .notDeflated)
    #expect(try flaw(deflated: whole + whole) == .notDeflated)
    #expect(try flaw(deflated: Array("no zlib".utf8)) == .notDeflated)
    var spoilt = whole
    spoilt[spoilt.count - 1] ^= 1  // the checksum
    #expect(try flaw(deflated: spoilt) == .notDeflated)
  }

  @Test(arguments: [0, 1, 9, 11, 1_000])
  func `refuses data of another size than it says`(_ byteCount: Int) throws {
    let deflated = BinaryPiece.literal(of: Self.new).deflated
    #expect(try flaw(deflated: deflated, byteCount: byteCount) == .inflatedSize)
  }

  @Test func `refuses bomb without inflating it`() throws {
    let bomb = BinaryPiece.literal(of: [UInt8](repeating: 0, count: 1 << 22))
    let said = try change(forward: bomb, reverse: .literal(of: Self.old))
    #expect(throws: PatchTextError.overLimit(.contentBytes, limit: 100, actual: 1 << 22)) {
      try said.apply(to: Self.old, byteCountMax: 100)
    }
    #expect(try flaw(deflated: bomb.deflated, byteCount: 100) == .inflatedSize)
  }

  @Test func `refuses reverse that does not lead back`() throws {
    for reverse in [Self.new, [], Self.old + [0]] {
      let section = try change(forward: .literal(of: Self.new), reverse: .literal(of: reverse))
      #expect(try applyFlaw(section, on: Self.old) == .reverse)
    }
  }

  @Test func `refuses deletion of other content`() throws {
    let deletion = try FileSection(
      path: try TreePath("m"), old: entry(.regular, "1"), new: nil,
      content: .binary(forward: .literal(of: []), reverse: .literal(of: Self.old)))
    #expect(try deletion.apply(to: Self.old, byteCountMax: 0) == [])
    #expect(try applyFlaw(deletion, on: Self.new) == .reverse)
    #expect(try applyFlaw(deletion, on: []) == .reverse)
  }

  @Test func `refuses addition over content`() throws {
    let addition = try FileSection(
      path: try TreePath("m"), old: nil, new: entry(.regular, "1"),
      content: .binary(forward: .literal(of: Self.new), reverse: .literal(of: [])))
    #expect(try addition.apply(to: [], byteCountMax: 10) == Self.new)
    #expect(try applyFlaw(addition, on: Self.old) == .fileGoesOn)
  }

  @Test func `carries megabytes of random bytes`() throws {
    let new = PatchCases.randomBytes(4 << 20, seed: 3)
    let section = try FileSection(
      path: try TreePath("m"), old: nil, new: entry(.regular, "1"),
      content: .binary(forward: .literal(of: new), reverse: .literal(of: [])))
    let patch = try TextPatch([section])
    let reread = try TextPatch(parsing: patch.printed(), limits: .wide)
    #expect(reread == patch)
    #expect(try reread.sections[0].apply(to: [], byteCountMax: new.count) == new)
  }

  private func piece(_ kind: BinaryPiece.Kind, _ data: [UInt8]) -> BinaryPiece {
    BinaryPiece(
      kind: kind, inflatedByteCount: data.count, deflated: BinaryPiece.literal(of: data).deflated)
  }

  private func change(delta: [UInt8]) throws -> FileSection {
    try change(forward: piece(.delta, delta), reverse: .literal(of: Self.old))
  }

  private func change(forward: BinaryPiece, reverse: BinaryPiece) throws -> FileSection {
    try FileSection(
      path: try TreePath("m"), old: entry(.regular, "1"), new: entry(.regular, "2"),
      content: .binary(forward: forward, reverse: reverse))
  }

  private func flaw(deflated: [UInt8], byteCount: Int? = nil) throws -> ApplyFlaw? {
    let forward = BinaryPiece(
      kind: .literal, inflatedByteCount: byteCount ?? Self.new.count, deflated: deflated)
    return try applyFlaw(change(forward: forward, reverse: .literal(of: Self.old)), on: Self.old)
  }
}
