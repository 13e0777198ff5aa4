package import GitModel

/// A file of one side of a case; a submodule's content is the id of its commit.
package struct CaseFile: Hashable, Sendable {
  package let mode: FileMode
  package let content: [UInt8]
}

/// Two trees that differ in an awkward way. Paths are bytes: not every one of them is text.
package struct PatchCase: Sendable {
  package typealias Files = [[UInt8]: CaseFile]

  package let name: String
  package let old: Files
  package let new: Files
}

/// 306 awkward changes, each alone (`.s`) and between other changes (`.m`).
package enum PatchCases {
  package static func all() -> [PatchCase] {
    pairs().flatMap { pair in
      [
        PatchCase(
          name: pair.name + ".s", old: files(pair.old, beside: surroundings),
          new: files(pair.new, beside: surroundings)),
        PatchCase(
          name: pair.name + ".m", old: files(pair.old, beside: surroundings),
          new: files(pair.new, beside: changedSurroundings)),
      ]
    }
  }

  private static func files(
    _ files: PatchCase.Files?, beside others: PatchCase.Files
  ) -> PatchCase.Files {
    // Without a file at all, there is nothing beside either.
    files.map { others.merging($0) { $1 } } ?? [:]
  }

  private static let surroundings = side([
    "keep/one.txt": file("one\n"), "aa/0.txt": file(lines(9)), "zz/9.txt": file(lines(9)),
  ])
  private static let changedSurroundings = side([
    "keep/one.txt": file("one\n"), "aa/0.txt": file(lines(9) + "tail\n"),
    "zz/9.txt": file("head\n" + lines(9)), "aa/1.txt": file("new\n"),
  ])

  // MARK: - Contents

  static let text = lines(60)
  static let binary = [0, 1, 2] + randomBytes(5_000, seed: 7)
  static let editedBinary = binary.prefix(2_000) + "INS\0ERT".utf8 + binary.dropFirst(2_100)

  static func lines(_ count: Int, _ prefix: String = "line") -> String {
    (0..<count).map { "\(prefix) \($0)\n" }.joined()
  }

  package static func randomBytes(_ count: Int, seed: UInt64) -> [UInt8] {
    var state = seed
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 8)
    while bytes.count < count {
      // SplitMix64: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.
      state &+= 0x9e37_79b9_7f4a_7c15
      var mixed = state
      mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
      mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
      mixed ^= mixed >> 31
      for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: mixed >> (8 * shift))) }
    }
    return Array(bytes.prefix(count))
  }

  static func file(_ text: String) -> CaseFile { file(Array(text.utf8)) }
  static func file(_ bytes: some Sequence<UInt8>) -> CaseFile {
    CaseFile(mode: .regular, content: Array(bytes))
  }
  static func program(_ text: String) -> CaseFile { program(Array(text.utf8)) }
  static func program(_ bytes: some Sequence<UInt8>) -> CaseFile {
    CaseFile(mode: .executable, content: Array(bytes))
  }
  static func link(_ target: String) -> CaseFile {
    CaseFile(mode: .symbolicLink, content: Array(target.utf8))
  }
  static func submodule(_ digit: Character) -> CaseFile {
    CaseFile(mode: .submodule, content: Array(String(repeating: digit, count: 40).utf8))
  }
  static func side(_ files: [String: CaseFile]) -> PatchCase.Files {
    Dictionary(uniqueKeysWithValues: files.map { (Array($0.key.utf8), $0.value) })
  }
}
