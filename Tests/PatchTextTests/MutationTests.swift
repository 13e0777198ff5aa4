import Foundation
import GitModel
import PatchText
import TestSupport
import Testing

/// Thousands of spoilt patches: none may crash or hang, and what is accepted prints to the same
/// bytes.
///
/// DISTRO_FUZZ_COUNT says how many, DISTRO_FUZZ_SEED with which generator they begin.
@Suite struct MutationTests {
  private static let count = number("DISTRO_FUZZ_COUNT") ?? 20_000
  private static let seed = UInt64(number("DISTRO_FUZZ_SEED") ?? 1)

  private static func number(_ name: String) -> Int? {
    ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
  }

  private static let limits = PatchLimits(
    patchByteCountMax: 1 << 20, sectionCountMax: 20, hunkCountMax: 50, pieceByteCountMax: 1 << 16)

  @Test func `survives mutated patches`() throws {
    let seeds = try Self.seeds()
    let olds = [PatchCases.text, "a\nb", ""].map { Array($0.utf8) } + [PatchCases.binary]
    var generator = SeededGenerator(seed: Self.seed)
    var accepted = 0
    for round in 0..<Self.count {
      let bytes = Self.mutated(seeds, &generator)
      do {
        let patch = try TextPatch(parsing: bytes, limits: Self.limits)
        accepted += 1
        #expect(patch.printed() == bytes, "round \(round)")
        #expect(try TextPatch(patch.sections) == patch)
        for section in patch.sections { Self.apply(section, to: olds) }
      } catch {
        #expect(!error.description.isEmpty)
      }
    }
    // Changed letters in lines and paths leave a canonical patch; were there none, nothing would be
    // tested.
    guard Self.count >= 1_000 else { return }
    #expect(accepted > Self.count / 100)
    #expect(accepted < Self.count * 9 / 10)
  }

  @Test func `survives mutated deltas and streams`() throws {
    let old = Array(PatchCases.binary[..<300])
    let delta: [UInt8] = [0xac, 2, 0x88, 2, 0x90, 200, 4, 1, 2, 3, 4, 0xb3, 200, 0, 60, 0]
    let reverse = BinaryPiece.literal(of: old)
    var generator = SeededGenerator(seed: Self.seed &+ 1)
    for round in 0..<Self.count {
      var data = delta
      Self.mutate(&data, &generator)
      var stream = BinaryPiece.literal(of: data).deflated
      if round % 2 == 0 { Self.mutate(&stream, &generator) }
      guard !stream.isEmpty else { continue }
      let forward = BinaryPiece(
        kind: .delta, inflatedByteCount: data.count, deflated: stream)
      let section = try FileSection(
        path: try TreePath("m"), old: entry(.regular, "1"), new: entry(.regular, "2"),
        content: .binary(forward: forward, reverse: reverse))
      Self.apply(section, to: [old])
    }
  }

  /// Content of at most the limit, or an error.
  private static func apply(_ section: FileSection, to olds: [[UInt8]]) {
    for old in olds {
      do {
        #expect(try section.apply(to: old, byteCountMax: 1 << 16).count <= 1 << 16)
      } catch {
        #expect(!error.description.isEmpty)
      }
    }
  }

  private static func seeds() throws -> [[UInt8]] {
    let fixed = [
      ParsingRefusalTests.text, ParsingRefusalTests.mode, ParsingRefusalTests.addition,
      ParsingRefusalTests.submodule, ParsingRefusalTests.binary,
    ].map { Array($0.utf8) }
    let edit = Array(PatchCases.binary[..<200])
    let sections = try [
      FileSection(
        path: try TreePath("d/\u{e9}\n"), old: entry(.regular, "1"), new: entry(.executable, "2"),
        content: .binary(forward: .literal(of: edit), reverse: .literal(of: PatchCases.binary))),
      FileSection(
        path: try TreePath("e"), old: entry(.regular, "1"), new: entry(.regular, "2"),
        content: .text(
          try Hunk.hunks(
            fromBody: Array(
              "@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+c\n".utf8)))),
      section("f", from: .symbolicLink, to: nil), section("f", from: nil, to: .regular),
      section("g", from: .regular, to: .executable),
    ]
    return fixed + [try TextPatch(sections).printed()]
  }

  private static func mutated(_ seeds: [[UInt8]], _ generator: inout SeededGenerator) -> [UInt8] {
    var bytes = seeds[Int.random(in: 0..<seeds.count, using: &generator)]
    for _ in 0..<Int.random(in: 1...3, using: &generator) {
      if Int.random(in: 0..<8, using: &generator) == 0 {
        bytes += seeds[Int.random(in: 0..<seeds.count, using: &generator)]
      }
      mutate(&bytes, &generator)
    }
    return bytes
  }

  /// One byte, a run of bytes or a line changed, inserted, removed or repeated.
  private static func mutate(_ bytes: inout [UInt8], _ generator: inout SeededGenerator) {
    guard !bytes.isEmpty else { return }
    let at = Int.random(in: 0..<bytes.count, using: &generator)
    let end = min(bytes.count, at + Int.random(in: 1...40, using: &generator))
    switch Int.random(in: 0..<10, using: &generator) {
    case 0: bytes[at] = UInt8.random(in: 0...255, using: &generator)
    case 1: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
    case 2: bytes[at] = UInt8.random(in: 0x20...0x7e, using: &generator)
    case 3: bytes.insert(Array("\0\n\"\\ +-@09".utf8)[at % 10], at: at)
    case 4: bytes.removeSubrange(at..<end)
    case 5: bytes.insert(contentsOf: bytes[at..<end], at: at)
    case 6: bytes.removeLast(bytes.count - at)
    case 7: exchangeLines(&bytes, at, &generator)
    case 8:
      bytes.insert(contentsOf: "\\ No newline at end of file\n".utf8, at: lineStart(bytes, at))
    default: bytes[at] = UInt8(ascii: "0") + UInt8.random(in: 0...9, using: &generator)
    }
  }

  /// Repeats the line at an index at the beginning of another line.
  private static func exchangeLines(
    _ bytes: inout [UInt8], _ at: Int, _ generator: inout SeededGenerator
  ) {
    let start = lineStart(bytes, at)
    let end = bytes[at...].firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? bytes.count
    let line = bytes[start..<end]
    let other = lineStart(bytes, Int.random(in: 0..<bytes.count, using: &generator))
    bytes.insert(contentsOf: line, at: other)
  }

  private static func lineStart(_ bytes: [UInt8], _ index: Int) -> Int {
    bytes[..<index].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
  }
}
