import Foundation
import MessageFormat
import Testing

/// Thousands of spoilt structures: none may crash, and what is accepted encodes to the same bytes.
///
/// DISTRO_FUZZ_COUNT says how many, DISTRO_FUZZ_SEED with which generator they begin.
@Suite struct FuzzTests {
  private static let count = number("DISTRO_FUZZ_COUNT") ?? 20_000
  private static let seed = UInt64(number("DISTRO_FUZZ_SEED") ?? 1)

  private static func number(_ name: String) -> Int? {
    ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
  }

  @Test func `accepts only what encodes to the same bytes`() {
    var generator = SplitMix(state: Self.seed)
    var accepted = 0
    for round in 0..<Self.count {
      let structure = Structure.all[round % Structure.all.count]
      var bytes = Self.fields(of: structure, &generator)
      for _ in 0..<Int.random(in: 0...2, using: &generator) { Self.spoil(&bytes, &generator) }
      do {
        let again = try structure.reencode(bytes)
        accepted += 1
        #expect(again == bytes, "round \(round), \(structure.title)")
      } catch let error as FormatError {
        #expect(!error.description.isEmpty)
      } catch {
        Issue.record("round \(round): \(error)")
      }
    }
    guard Self.count >= 1_000 else { return }
    #expect(accepted > Self.count / 20)
    #expect(accepted < Self.count * 19 / 20)
  }

  /// A field left out, repeated, exchanged, or with another value, some of the time.
  private static func fields(
    of structure: Structure, _ generator: inout SplitMix
  ) -> [UInt8] {
    var fields = structure.fields
    let index = Int.random(in: 0..<fields.count, using: &generator)
    let other = Int.random(in: 0..<fields.count, using: &generator)
    switch Int.random(in: 0..<8, using: &generator) {
    case 0: fields.remove(at: index)
    case 1: fields.insert(fields[other], at: index)
    case 2: fields.swapAt(index, other)
    case 3: fields[index] = changed(fields[index], &generator)
    case 4: fields.append(.number(Int.random(in: 1...40, using: &generator), 1))
    default: break
    }
    return fields.encoded
  }

  private static func changed(_ field: Field, _ generator: inout SplitMix) -> Field {
    switch field {
    case .number(let number, let value):
      let values = [0, value + 1, 1 << 32, 1 << 53, UInt64.max, UInt64.max >> 1, generator.next()]
      return .number(number, values[Int.random(in: 0..<values.count, using: &generator)])
    case .bytes(let number, var content):
      spoil(&content, &generator)
      return .bytes(number, content)
    case .raw: return field
    }
  }

  private static func spoil(_ bytes: inout [UInt8], _ generator: inout SplitMix) {
    guard !bytes.isEmpty else { return }
    let at = Int.random(in: 0..<bytes.count, using: &generator)
    let end = min(bytes.count, at + Int.random(in: 1...40, using: &generator))
    switch Int.random(in: 0..<7, using: &generator) {
    case 0: bytes[at] = UInt8.random(in: 0...255, using: &generator)
    case 1: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
    case 2: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: at)
    case 3: bytes.removeSubrange(at..<end)
    case 4: bytes.insert(contentsOf: bytes[at..<end], at: at)
    case 5: bytes.removeLast(bytes.count - at)
    default: bytes += [UInt8(Int.random(in: 1...15, using: &generator) << 3), 1]
    }
  }
}

/// A generator that gives the same numbers every time. Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom
/// Number Generators".
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }
}
