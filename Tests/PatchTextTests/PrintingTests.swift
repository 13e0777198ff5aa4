import GitModel
import PatchText
import Testing

@Suite struct PrintingTests {
  @Test func `prints text with quoted path and full i ds`() throws {
    let hunks = try Hunk.hunks(fromBody: Array("@@ -1,2 +1 @@ function()\n a\n-b\n".utf8))
    let section = try FileSection(
      path: try TreePath("d/\u{e9} \"\\\n"), old: entry(.regular, "1"), new: entry(.regular, "2"),
      content: .text(hunks))
    try expect(
      section,
      """
      diff --git "a/d/\\303\\251 \\"\\\\\\012" "b/d/\\303\\251 \\"\\\\\\012"
      index \(id("1"))..\(id("2")) 100644
      --- "a/d/\\303\\251 \\"\\\\\\012"
      +++ "b/d/\\303\\251 \\"\\\\\\012"
      @@ -1,2 +1 @@
       a
      -b

      """)
  }

  @Test func `prints addition and deletion of empty file`() throws {
    let empty = TreeEntry(mode: .executable, id: FileSection.emptyFileID)
    let path = try TreePath("e")
    try expect(
      try FileSection(path: path, old: nil, new: empty, content: .unchanged),
      """
      diff --git "a/e" "b/e"
      new file mode 100755
      index \(id("0"))..\(FileSection.emptyFileID.hex)

      """)
    try expect(
      try FileSection(path: path, old: empty, new: nil, content: .unchanged),
      """
      diff --git "a/e" "b/e"
      deleted file mode 100755
      index \(FileSection.emptyFileID.hex)..\(id("0"))

      """)
  }

  @Test func `prints mode change with index line`() throws {
    try expect(
      try FileSection(
        path: try TreePath("e"), old: entry(.regular, "1"), new: entry(.executable, "1"),
        content: .unchanged),
      """
      diff --git "a/e" "b/e"
      old mode 100644
      new mode 100755
      index \(id("1"))..\(id("1"))

      """)
  }

  @Test func `prints submodule as git does`() throws {
    let path = try TreePath("s")
    try expect(
      try FileSection(
        path: path, old: entry(.submodule, "1"), new: entry(.submodule, "2"), content: .submodule),
      """
      diff --git "a/s" "b/s"
      index \(id("1"))..\(id("2")) 160000
      --- "a/s"
      +++ "b/s"
      @@ -1 +1 @@
      -Subproject commit \(id("1"))
      +Subproject commit \(id("2"))

      """)
    try expect(
      try FileSection(path: path, old: nil, new: entry(.submodule, "2"), content: .submodule),
      """
      diff --git "a/s" "b/s"
      new file mode 160000
      index \(id("0"))..\(id("2"))
      --- /dev/null
      +++ "b/s"
      @@ -0,0 +1 @@
      +Subproject commit \(id("2"))

      """)
  }

  /// Every length of the last line and of its last group of four.
  @Test(arguments: [1, 2, 3, 4, 5, 26, 27, 51, 52, 53, 103, 104, 105])
  func `reads binary lines of every length back`(_ byteCount: Int) throws {
    try readBack(PatchCases.randomBytes(byteCount, seed: UInt64(byteCount)))
    try readBack([UInt8](repeating: 0xff, count: byteCount))
  }

  private func readBack(_ deflated: [UInt8]) throws {
    let piece = BinaryPiece(kind: .delta, inflatedByteCount: 9, deflated: deflated)
    let section = try FileSection(
      path: try TreePath("m"), old: entry(.regular, "1"), new: entry(.regular, "2"),
      content: .binary(forward: piece, reverse: .literal(of: deflated)))
    let patch = try TextPatch([section])
    #expect(try TextPatch(parsing: patch.printed(), limits: .wide) == patch)
  }

  @Test func `prints deletions before everything else`() throws {
    let sections = try [
      section("m", from: nil, to: .regular), section("m/a", from: .regular, to: nil),
      section("b", from: .symbolicLink, to: nil), section("b", from: nil, to: .regular),
    ]
    let patch = try TextPatch(sections)
    #expect(
      patch.sections.map { "\($0.path) \($0.new == nil ? "-" : "+")" }
        == ["\"b\" -", "\"m/a\" -", "\"b\" +", "\"m\" +"])
    #expect(try TextPatch(sections.reversed()) == patch)
  }

  @Test func `reads no bytes as no sections`() throws {
    #expect(try TextPatch(parsing: [], limits: .wide).sections.isEmpty)
    #expect(try TextPatch([]).printed().isEmpty)
  }

  @Test func `splits type change and nothing else`() throws {
    let path = try TreePath("m")
    let link = entry(.symbolicLink, "1")
    let file = entry(.regular, "2")
    #expect(
      TreeChange(path: path, old: link, new: file).sections == [
        TreeChange(path: path, old: link, new: nil), TreeChange(path: path, old: nil, new: file),
      ])
    let mode = TreeChange(path: path, old: entry(.executable, "2"), new: file)
    #expect(mode.sections == [mode])
  }

  private func expect(_ section: FileSection, _ text: String) throws {
    let patch = try TextPatch([section])
    #expect(String(decoding: patch.printed(), as: UTF8.self) == text)
    #expect(try TextPatch(parsing: Array(text.utf8), limits: .wide) == patch)
  }
}

func id(_ digit: Character) -> String { String(repeating: digit, count: 40) }

func entry(_ mode: FileMode, _ digit: Character) -> TreeEntry {
  guard let id = ObjectID(hex: id(digit)) else { preconditionFailure("a digit") }
  return TreeEntry(mode: mode, id: id)
}

/// An addition, a deletion or a change of mode, whose content is shown by no line.
func section(_ path: String, from old: FileMode?, to new: FileMode?) throws -> FileSection {
  try FileSection(
    path: try TreePath(path), old: old.map { TreeEntry(mode: $0, id: FileSection.emptyFileID) },
    new: new.map { TreeEntry(mode: $0, id: FileSection.emptyFileID) }, content: .unchanged)
}
