import GitModel
import PatchText
import Testing

/// One change to a canonical patch, and the flaw that it must be refused for.
struct Spoiling: Sendable {
  let patch: String
  let find: String
  let replacement: String
  let flaw: PatchFlaw

  init(_ patch: String, _ find: String, _ replacement: String, _ flaw: PatchFlaw) {
    self.patch = patch
    self.find = find
    self.replacement = replacement
    self.flaw = flaw
  }
}

@Suite struct ParsingRefusalTests {
  static let text = """
    diff --git "a/m\\001" "b/m\\001"
    index \(id("1"))..\(id("2")) 100644
    --- "a/m\\001"
    +++ "b/m\\001"
    @@ -1,5 +1,5 @@
     a
    -b
    +B
     c
     d
     e
    @@ -9,4 +9,4 @@
     a
     b
     c
    -d
    \\ No newline at end of file
    +D

    """

  static let mode = """
    diff --git "a/m" "b/m"
    old mode 100644
    new mode 100755
    index \(id("1"))..\(id("1"))

    """

  static let addition = """
    diff --git "a/m" "b/m"
    new file mode 100644
    index \(id("0"))..\(id("2"))
    --- /dev/null
    +++ "b/m"
    @@ -0,0 +1,2 @@
    +a
    +b

    """

  static let submodule = """
    diff --git "a/m" "b/m"
    index \(id("1"))..\(id("2")) 160000
    --- "a/m"
    +++ "b/m"
    @@ -1 +1 @@
    -Subproject commit \(id("1"))
    +Subproject commit \(id("2"))

    """

  // Three bytes of data each: what the parser reads without inflating.
  static let binary = """
    diff --git "a/m" "b/m"
    index \(id("1"))..\(id("2")) 100644
    GIT binary patch
    literal 7
    C0RjU6

    delta 10
    C0RjU6


    """

  static let spoilings: [Spoiling] =
    headerSpoilings + modeSpoilings + hunkSpoilings + bodySpoilings + otherSpoilings

  static let headerSpoilings = [
    Spoiling(text, "diff --git \"a", "\ndiff --git \"a", .sectionHeader),
    Spoiling(text, "diff --git \"a", "From: me\ndiff --git \"a", .sectionHeader),
    Spoiling(text, "+D\n", "+D\n-- \n2.39\n", .sectionHeader),
    Spoiling(text, "+D\n", "+D\n\n", .sectionHeader),
    Spoiling(mode, "\"a/m\" \"b/m\"", "a/m b/m", .quoting),
    Spoiling(mode, "\"a/m\" \"b/m\"", "\"m\" \"m\"", .quoting),
    Spoiling(mode, "\"a/m\" \"b/m\"", "\"a/m\"  \"b/m\"", .quoting),
    Spoiling(mode, "\"a/m\" \"b/m\"", "\"a/\\155\" \"b/\\155\"", .quoting),
    Spoiling(mode, "\"a/m\" \"b/m\"", "\"a/\\n\" \"b/\\n\"", .quoting),
    Spoiling(mode, "\"a/m\" \"b/m\"", "\"a/\\777\" \"b/\\777\"", .quoting),
    Spoiling(mode, "\"a/m\" \"b/m\"", "\"a/\\089\" \"b/\\089\"", .quoting),
    Spoiling(mode, "\"a/m\" \"b/m\"", "\"a/\u{e9}\" \"b/\u{e9}\"", .quoting),
    Spoiling(mode, "\"a/m\" \"b/m\"", "\"a/\t\" \"b/\t\"", .quoting),
    Spoiling(mode, "\"b/m\"", "\"b/n\"", .secondPath),
    Spoiling(mode, "\"b/m\"", "\"b/mm\"", .secondPath),
    Spoiling(mode, "\"b/m\"", "\"b/m\" ", .secondPath),
    Spoiling(mode, "\"b/m\"", "\"b/m\"\r", .secondPath),
    Spoiling(text, "--- \"a/m", "--- \"a/n", .nameLine),
    Spoiling(text, "+++ \"b/m", "+++ \"b/n", .nameLine),
    Spoiling(text, "--- \"a/m\\001\"", "--- \"a/m\\001\"\t", .nameLine),
    Spoiling(text, "+++ \"b/m\\001\"", "+++ /dev/null", .nameLine),
    Spoiling(addition, "--- /dev/null", "--- \"a/m\"", .nameLine),
  ]

  static let modeSpoilings = [
    Spoiling(mode, "old mode 100644", "old mode 100664", .modeLine),
    Spoiling(mode, "old mode 100644", "old mode 040000", .modeLine),
    Spoiling(mode, "new mode 100755", "new mode 100644", .modeLine),
    Spoiling(mode, "new mode 100755\n", "", .modeLine),
    Spoiling(mode, "old mode 100644", "old mode 0100644", .modeLine),
    Spoiling(addition, "new file mode 100644", "new file mode 100644 ", .modeLine),
    Spoiling(text, "22 100644", "22 100600", .modeLine),
    Spoiling(text, "22 100644", "22", .indexLine),
    Spoiling(mode, "11\n", "11 100644\n", .indexLine),
    Spoiling(mode, "index ", "similarity index 100%\nindex ", .indexLine),
    Spoiling(mode, "old mode", "rename from x\nrename to m\nold mode", .indexLine),
    Spoiling(text, "..", "...", .objectID),
    Spoiling(text, id("2"), "2222222", .objectID),
    Spoiling(text, id("2"), id("A"), .objectID),
    Spoiling(text, id("1"), id("0"), .zeroID),
    Spoiling(addition, id("0"), id("1"), .zeroID),
    Spoiling(addition, id("2"), id("0"), .zeroID),
  ]

  static let hunkSpoilings = [
    Spoiling(text, "@@ -1,5 +1,5 @@", "", .hunkHeader),
    Spoiling(text, "@@ -1,5 +1,5 @@", "@@ -1,5 +1,5 @@ function()", .hunkHeader),
    Spoiling(text, "@@ -1,5 +1,5 @@", "@@ -01,5 +1,5 @@", .hunkHeader),
    Spoiling(text, "@@ -1,5 +1,5 @@", "@@ -+1,5 +1,5 @@", .hunkHeader),
    Spoiling(text, "@@ -1,5 +1,5 @@", "@@ -1, +1,5 @@", .hunkHeader),
    Spoiling(text, "@@ -1,5 +1,5 @@", "@@ -1,5 +0,5 @@", .hunkHeader),
    Spoiling(text, "@@ -1,5 +1,5 @@", "@@ -1,1 +1,5 @@", .hunkHeader),
    Spoiling(text, "@@ -1,5 +1,5 @@", "@@ -1,5 +1,9999999999999999 @@", .hunkHeader),
    Spoiling(addition, "@@ -0,0 +1,2 @@", "@@ -1,0 +1,2 @@", .hunkHeader),
    Spoiling(addition, "@@ -0,0 +1,2 @@", "@@ -0 +1,2 @@", .hunkHeader),
    Spoiling(text, "@@ -1,5 +1,5 @@", "@@ -1,5 +1,4 @@", .hunkCounts),
    Spoiling(text, "@@ -1,5 +1,5 @@", "@@ -1,4 +1,5 @@", .hunkCounts),
    Spoiling(text, "@@ -1,5 +1,5 @@", "@@ -1,6 +1,6 @@", .hunkLine),
    Spoiling(text, "@@ -1,5 +1,5 @@", "@@ -1,4 +1,4 @@", .sectionHeader),
    Spoiling(addition, "@@ -0,0 +1,2 @@", "@@ -0,0 +1 @@", .sectionHeader),
    Spoiling(addition, "@@ -0,0 +1,2 @@", "@@ -0,0 +1,3 @@", .truncated),
    Spoiling(addition, "@@ -0,0 +1,2 @@\n+a\n+b", "@@ -0,0 +0,0 @@", .hunkWithoutChange),
  ]

  static let bodySpoilings = [
    Spoiling(text, "-b\n+B\n", "+B\n-b\n", .lineOrder),
    Spoiling(
      text, "@@ -1,5 +1,5 @@\n", "@@ -1,8 +1,8 @@\n 1\n 2\n 3\n", .contextLines),
    Spoiling(
      text, "-1,5 +1,5 @@\n a\n", "-1,12 +1,11 @@\n-x\n 1\n 2\n 3\n 4\n 5\n 6\n a\n",
      .contextLines),
    Spoiling(text, "@@ -1,5 +1,5 @@", "@@ -1,5 +1,5 @@\n", .hunkLine),
    Spoiling(text, " c\n", "c\n", .hunkLine),
    Spoiling(text, "+B\n", "+B\0\n", .nul),
    Spoiling(text, "+B\n", "+B\n\\ No newline at end of file\n", .misplacedEndMarker),
    Spoiling(text, "-b\n", "-b\n\\ No newline at end of file\n", .misplacedEndMarker),
    Spoiling(text, " c\n", " c\n\\ No newline at end of file\n", .misplacedEndMarker),
    Spoiling(addition, "+b\n", "+\n\\ No newline at end of file\n", .misplacedEndMarker),
    Spoiling(text, "\\ No newline at", "\\ No newlines at", .endMarker),
    Spoiling(text, "\\ No", "\\No", .endMarker),
    Spoiling(
      addition, "+b\n", "+b\n\\ No newline at end of file\n\\ No newline at end of file\n",
      .sectionHeader),
  ]

  static let otherSpoilings = [
    Spoiling(submodule, "@@ -1 +1 @@", "@@ -1,1 +1,1 @@", .submoduleLine),
    Spoiling(submodule, "-Subproject commit 1", "-Subproject commit 3", .submoduleLine),
    Spoiling(
      submodule, "+Subproject commit \(id("2"))", "+Subproject commit \(id("3"))", .submoduleLine),
    Spoiling(submodule, "commit \(id("2"))", "commit \(id("2"))-dirty", .submoduleLine),
    Spoiling(submodule, "--- \"a/m\"\n", "", .nameLine),
    Spoiling(mode, "11\n", "11\nBinary files a/m and b/m differ\n", .sectionHeader),
    Spoiling(binary, "literal 7", "literal 07", .pieceHeader),
    Spoiling(binary, "literal 7", "literal ", .pieceHeader),
    Spoiling(binary, "literal 7", "Literal 7", .pieceHeader),
    Spoiling(binary, "delta 10\nC0RjU6\n\n", "", .truncated),
    Spoiling(binary, "literal 7\nC", "literal 7\nE", .base85),
    Spoiling(binary, "literal 7\nC0RjU6", "literal 7\nB0RjU6", .base85),
    Spoiling(binary, "literal 7\nC0RjU6", "literal 7\nC0RjU7", .base85),
    Spoiling(binary, "literal 7\nC0RjU6", "literal 7\nC0Rj 6", .base85),
    Spoiling(binary, "literal 7\nC0RjU6", "literal 7\nD|NsC1", .base85),
    Spoiling(binary, "literal 7\nC0RjU6", "literal 7\nC0RjU6\nC0RjU6", .pieceLine),
    Spoiling(binary, "literal 7\nC0RjU6", "literal 7\n", .pieceLine),
    Spoiling(binary, "literal 7\nC0RjU6", "literal 7\n!0RjU6", .pieceLine),
    Spoiling(binary, "literal 7\nC0RjU6", "literal 7\nC0RjU6\r", .pieceLine),
  ]

  @Test(arguments: [text, mode, addition, submodule, binary])
  func `accepts every patch that is spoilt below`(_ patch: String) throws {
    let bytes = Array(patch.utf8)
    #expect(try TextPatch(parsing: bytes, limits: .wide).printed() == bytes)
  }

  @Test(arguments: spoilings)
  func `refuses what is not canonical`(_ spoiling: Spoiling) throws {
    let spoilt = spoiling.patch.replacing(
      spoiling.find, with: spoiling.replacement, maxReplacements: 1)
    #expect(spoilt != spoiling.patch)
    #expect(flaw(of: Array(spoilt.utf8)) == spoiling.flaw, "\(spoilt)")
  }

  @Test func `every flaw is tested for`() {
    #expect(Set(Self.spoilings.map(\.flaw)) == Set(PatchFlaw.allCases))
  }

  @Test(arguments: [text, mode, addition, submodule, binary])
  func `refuses patch that is cut anywhere`(_ patch: String) {
    let bytes = Array(patch.utf8)
    for end in 1..<bytes.count {
      // What a cut between two hunks leaves is a patch of its own.
      let isBetweenHunks = bytes[end...].starts(with: "@@ -9".utf8)
      #expect(isRefused(bytes[..<end]) != isBetweenHunks, "cut at \(end)")
    }
  }

  private func isRefused(_ bytes: ArraySlice<UInt8>) -> Bool {
    do {
      _ = try TextPatch(parsing: Array(bytes), limits: .wide)
      return false
    } catch {
      return true
    }
  }

  private func flaw(of bytes: [UInt8]) -> PatchFlaw? {
    do {
      _ = try TextPatch(parsing: bytes, limits: .wide)
      return nil
    } catch {
      guard case .notCanonical(let flaw, _) = error else { return nil }
      return flaw
    }
  }

  @Test(arguments: ["../m", ".git/config", "m//n", "/m", "m/", ".", "\\000"])
  func `refuses unsafe path`(_ path: String) {
    let patch = Self.mode.replacing("a/m", with: "a/\(path)").replacing("b/m", with: "b/\(path)")
    #expect {
      try TextPatch(parsing: Array(patch.utf8), limits: .wide)
    } throws: { error in
      guard case .unsafePath? = error as? PatchTextError else { return false }
      return true
    }
  }

  @Test func `refuses path that is too long before reading all of it`() {
    let patch = "diff --git \"a/\(String(repeating: "x/", count: 100_000))"
    #expect {
      try TextPatch(parsing: Array(patch.utf8), limits: .wide)
    } throws: { error in
      guard case .unsafePath(let reason)? = error as? PatchTextError else { return false }
      return reason.hazard == .tooLong
    }
  }

  @Test func `refuses patch over every limit`() throws {
    let bytes = Array((Self.mode + Self.text).utf8)
    let binary = Array(Self.binary.utf8)
    let fit = (bytes: bytes.count, sections: 2, hunks: 2, piece: 10)
    #expect(over(bytes, fit) == nil)
    #expect(over(binary, fit) == nil)
    #expect(over(bytes, (fit.bytes - 1, 2, 2, 10)) == .patchBytes)
    #expect(over(bytes, (fit.bytes, 1, 2, 10)) == .sections)
    #expect(over(bytes, (fit.bytes, 2, 1, 10)) == .hunks)
    #expect(over(binary, (fit.bytes, 2, 2, 9)) == .pieceBytes)
  }

  private func over(
    _ bytes: [UInt8], _ limits: (bytes: Int, sections: Int, hunks: Int, piece: Int)
  ) -> PatchLimit? {
    do {
      _ = try TextPatch(
        parsing: bytes,
        limits: PatchLimits(
          patchByteCountMax: limits.bytes, sectionCountMax: limits.sections,
          hunkCountMax: limits.hunks, pieceByteCountMax: limits.piece))
      return nil
    } catch {
      guard case .overLimit(let limit, _, _) = error else { return nil }
      return limit
    }
  }
}
