import GitModel
import PatchText
import Testing

@Suite struct SectionRefusalTests {
  private static let short = "@@ -1,2 +1,2 @@\n a\n-b\n+B\n"
  private static let piece = BinaryPiece.literal(of: [1])
  private static let none = BinaryPiece.literal(of: [])

  @Test func `refuses sides that no trees differ in`() {
    let file = entry(.regular, "1")
    #expect(flaw(nil, nil, .unchanged) == .nothing)
    #expect(flaw(file, file, .unchanged) == .sameSides)
    #expect(flaw(entry(.regular, "0"), file, .unchanged) == .zeroID)
    #expect(flaw(nil, entry(.regular, "0"), .unchanged) == .zeroID)
    #expect(flaw(entry(.symbolicLink, "1"), entry(.regular, "2"), .unchanged) == .typeChange)
    #expect(flaw(entry(.submodule, "1"), entry(.regular, "2"), .submodule) == .typeChange)
  }

  @Test func `refuses content that the sides do not have`() throws {
    let file = entry(.regular, "1")
    let other = entry(.regular, "2")
    let text = FileSection.Content.text(try Hunk.hunks(fromBody: Array(Self.short.utf8)))
    let binary = FileSection.Content.binary(forward: Self.piece, reverse: Self.piece)
    #expect(flaw(file, other, text) == nil)
    #expect(flaw(file, other, binary) == nil)
    #expect(flaw(file, other, .unchanged) == .unchangedContent)
    #expect(flaw(nil, other, .unchanged) == .unchangedContent)
    #expect(flaw(file, nil, .unchanged) == .unchangedContent)
    #expect(flaw(file, entry(.executable, "1"), text) == .sameContent)
    #expect(flaw(file, entry(.executable, "1"), binary) == .sameContent)
    #expect(flaw(file, other, .submodule) == .submodule)
    #expect(flaw(nil, entry(.submodule, "1"), .unchanged) == .submodule)
    #expect(flaw(file, other, .text([])) == .noHunk)
    #expect(flaw(nil, other, text) == .hunkSide)
    #expect(flaw(file, nil, text) == .hunkSide)
  }

  @Test func `refuses binary data on a side that is not there`() {
    let file = entry(.regular, "1")
    let delta = BinaryPiece(kind: .delta, inflatedByteCount: 1, deflated: [1])
    let hollow = BinaryPiece(kind: .literal, inflatedByteCount: 1, deflated: [])
    let negative = BinaryPiece(kind: .literal, inflatedByteCount: -1, deflated: [1])
    #expect(flaw(nil, file, .binary(forward: Self.piece, reverse: Self.none)) == nil)
    #expect(flaw(file, nil, .binary(forward: Self.none, reverse: Self.piece)) == nil)
    #expect(flaw(nil, file, .binary(forward: Self.piece, reverse: Self.piece)) == .pieceSide)
    #expect(flaw(nil, file, .binary(forward: delta, reverse: Self.none)) == .pieceSide)
    #expect(flaw(file, nil, .binary(forward: Self.piece, reverse: Self.piece)) == .pieceSide)
    #expect(flaw(file, nil, .binary(forward: Self.none, reverse: delta)) == .pieceSide)
    #expect(flaw(nil, file, .binary(forward: hollow, reverse: Self.none)) == .emptyPiece)
    #expect(flaw(nil, file, .binary(forward: negative, reverse: Self.none)) == .emptyPiece)
  }

  @Test(arguments: [
    // Fewer than three lines of context before a change that is not at the file's beginning.
    ("@@ -2,2 +2,2 @@\n a\n-b\n+B\n", SectionFlaw.hunkContext),
    // The same in a second hunk, and after a first one.
    ("@@ -1,4 +1,3 @@\n-a\n b\n c\n d\n@@ -9,2 +8,2 @@\n a\n-b\n+B\n", .hunkContext),
    ("@@ -1,2 +1 @@\n-a\n b\n@@ -9,4 +8,3 @@\n a\n b\n c\n-d\n", .hunkContext),
    // The new position of the first hunk, of a later one.
    ("@@ -1,2 +2,2 @@\n a\n-b\n+B\n", .hunkPosition),
    ("@@ -1,4 +1,3 @@\n-a\n b\n c\n d\n@@ -9,4 +9,3 @@\n a\n b\n c\n-d\n", .hunkPosition),
    // Two hunks that touch, overlap, or stand in the wrong order.
    ("@@ -1,4 +1,3 @@\n-a\n b\n c\n d\n@@ -5,4 +4,3 @@\n a\n b\n c\n-d\n", .hunkOrder),
    ("@@ -1,4 +1,3 @@\n-a\n b\n c\n d\n@@ -3,4 +2,3 @@\n a\n b\n c\n-d\n", .hunkOrder),
    (
      "@@ -9,4 +9,3 @@\n a\n b\n c\n-d\n@@ -1,4 +1,3 @@\n-a\n b\n c\n d\n",
      .hunkOrder
    ),
    (
      "@@ -1,4 +1,3 @@\n-a\n b\n c\n d\n\\ No newline at end of file\n"
        + "@@ -9,4 +8,3 @@\n a\n b\n c\n-d\n",
      .hunkAfterEnd
    ),
  ])
  func `refuses hunks that cannot stand together`(_ body: String, _ expected: SectionFlaw) throws {
    let hunks = try Hunk.hunks(fromBody: Array(body.utf8))
    #expect(flaw(entry(.regular, "1"), entry(.regular, "2"), .text(hunks)) == expected)
  }

  @Test func `refuses sections out of order when parsing`() throws {
    let sections = try ["a", "b"].map { try TextPatch([section($0, from: nil, to: .regular)]) }
    let deletion = try TextPatch([section("c", from: .regular, to: nil)])
    let (first, second) = (sections[0].printed(), sections[1].printed())
    #expect(flaw(parsing: first + second) == nil)
    #expect(flaw(parsing: second + first) == .order)
    #expect(flaw(parsing: first + first) == .order)
    #expect(flaw(parsing: deletion.printed() + first) == nil)
    #expect(flaw(parsing: first + deletion.printed()) == .order)
  }

  @Test func `refuses path twice`() throws {
    let addition = try section("m", from: nil, to: .regular)
    let deletion = try section("m", from: .executable, to: nil)
    let link = try section("m", from: .symbolicLink, to: nil)
    let mode = try section("m", from: .regular, to: .executable)
    #expect(flaw([addition, link]) == nil)
    #expect(flaw([addition, addition]) == .order)
    #expect(flaw([addition, mode]) == .order)
    #expect(flaw([deletion, addition]) == .order)
    #expect(flaw([link, mode]) == .order)
  }

  @Test func `refuses file where another section has a directory`() throws {
    let between = try ["m-x", "m.x", "m0"].map { try section($0, from: nil, to: .regular) }
    for (old, new) in [(nil, FileMode.regular), (FileMode.regular, nil)] {
      let file = try section("m", from: old, to: new)
      let deep = try section("m/a/b", from: old, to: new)
      let sibling = try section("m-x/a", from: old, to: new)
      #expect(flaw([file, deep] + between) == .pathInsideFile)
      #expect(flaw([file, sibling]) == nil)
    }
    let mode = try section("m", from: .regular, to: .executable)
    #expect(flaw([mode, try section("m/a", from: nil, to: .regular)]) == .pathInsideFile)
    #expect(flaw([mode, try section("m/a", from: .regular, to: nil)]) == .pathInsideFile)
    let swap = [
      try section("m", from: .regular, to: nil), try section("m/a", from: nil, to: .regular),
    ]
    #expect(flaw(swap) == nil)
  }

  private func flaw(
    _ old: TreeEntry?, _ new: TreeEntry?, _ content: FileSection.Content
  ) -> SectionFlaw? {
    flaw { _ = try FileSection(path: try TreePath("m"), old: old, new: new, content: content) }
  }

  private func flaw(_ sections: [FileSection]) -> SectionFlaw? {
    flaw { _ = try TextPatch(sections) }
  }

  private func flaw(parsing bytes: [UInt8]) -> SectionFlaw? {
    flaw { _ = try TextPatch(parsing: bytes, limits: .wide) }
  }

  private func flaw(_ body: () throws -> Void) -> SectionFlaw? {
    do {
      try body()
      return nil
    } catch {
      guard case .contradictory(_, let flaw)? = error as? PatchTextError else {
        Issue.record(error)
        return nil
      }
      return flaw
    }
  }
}
