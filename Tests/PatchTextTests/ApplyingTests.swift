import GitModel
import PatchText
import Testing

@Suite struct ApplyingTests {
  /// Changes the fifth of nine lines; the last context line is the eighth.
  private static let middle = "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n"
  private static let nine = "1\n2\n3\n4\n5\n6\n7\n8\n9\n"

  @Test func `applies hunk where it says and keeps the rest`() throws {
    let result = try change(Self.middle).apply(to: Array(Self.nine.utf8), byteCountMax: 100)
    #expect(String(decoding: result, as: UTF8.self) == "1\n2\n3\n4\nfive\n6\n7\n8\n9\n")
  }

  @Test(arguments: [
    ("1\n2\n3\n4\nx\n6\n7\n8\n9\n", ApplyFlaw.lineDiffers),
    ("1\nx\n3\n4\n5\n6\n7\n8\n9\n", .lineDiffers),
    ("1\n2\n3\n4\n5\n6\n7\nx\n9\n", .lineDiffers),
    // Where `patch` would go and look: a line earlier, a line later.
    ("2\n3\n4\n5\n6\n7\n8\n9\n", .lineDiffers),
    ("0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n", .lineDiffers),
    ("1\n2\n3\n4\n5\n6\n7\n8", .lineDiffers),
    ("1\n2\n3\n4\n5\n6\n7\n", .lineDiffers),
    ("1", .tooShort),
    ("", .tooShort),
  ])
  func `refuses other content`(_ old: String, _ flaw: ApplyFlaw) throws {
    #expect(try self.flaw(change(Self.middle), on: old) == flaw)
  }

  @Test(arguments: [
    // The end of the file is known by a context of fewer than three lines, or by a missing newline.
    ("@@ -1,2 +1,2 @@\n-a\n+b\n c\n", "a\nc\n", "b\nc\n", ["a\nc\nd\n", "a\nc"]),
    (
      "@@ -1,2 +1,2 @@\n-a\n+b\n c\n\\ No newline at end of file\n", "a\nc", "b\nc",
      ["a\nc\n", "a\ncd", "a\nc\nd\n"]
    ),
    (
      "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n", "a", "a\n", ["a\n", "a\nb\n", "ab"]
    ),
    (
      "@@ -1 +1 @@\n-a\n+a\n\\ No newline at end of file\n", "a\n", "a", ["a", "a\nb\n", ""]
    ),
    ("@@ -1 +1,2 @@\n \n+\n", "\n", "\n\n", ["", "\n\n"]),
    (
      "@@ -1,4 +1,4 @@\n-a\n+b\n 2\n 3\n 4\n\\ No newline at end of file\n", "a\n2\n3\n4",
      "b\n2\n3\n4", ["a\n2\n3\n4\n", "a\n2\n3\n45", "a\n2\n3\n4\n5"]
    ),
    ("@@ -0,0 +1 @@\n+a\n", "", "a\n", ["\n", "b"]),
    ("@@ -1,2 +0,0 @@\n-a\n-b\n", "a\nb\n", "", ["a\nb\nc\n", "a\n", "a\nb"]),
  ])
  func `applies at the end of a file only`(
    _ body: String, _ old: String, _ new: String, _ others: [String]
  ) throws {
    let section = try change(body)
    let result = try section.apply(to: Array(old.utf8), byteCountMax: 100)
    #expect(String(decoding: result, as: UTF8.self) == new)
    for other in others {
      let flaw = try self.flaw(section, on: other)
      #expect([.lineDiffers, .fileGoesOn].contains(flaw), "\(other.debugDescription)")
    }
  }

  @Test func `refuses deletion of other content`() throws {
    let hunks = try Hunk.hunks(fromBody: Array("@@ -1,2 +0,0 @@\n-a\n-b\n".utf8))
    let deletion = try FileSection(
      path: try TreePath("m"), old: entry(.regular, "1"), new: nil, content: .text(hunks))
    #expect(try deletion.apply(to: Array("a\nb\n".utf8), byteCountMax: 0) == [])
    #expect(try flaw(deletion, on: "a\nc\n") == .lineDiffers)
    #expect(try flaw(deletion, on: "a\nb\nc\n") == .fileGoesOn)
  }

  @Test func `refuses addition over content`() throws {
    let hunks = try Hunk.hunks(fromBody: Array("@@ -0,0 +1 @@\n+a\n".utf8))
    let addition = try FileSection(
      path: try TreePath("m"), old: nil, new: entry(.regular, "1"), content: .text(hunks))
    #expect(try addition.apply(to: [], byteCountMax: 2) == Array("a\n".utf8))
    #expect(try flaw(addition, on: "b\n") == .fileGoesOn)
    #expect(try flaw(section("m", from: nil, to: .regular), on: "b\n") == .fileGoesOn)
    #expect(try flaw(section("m", from: .regular, to: nil), on: "b\n") == .fileGoesOn)
  }

  @Test func `keeps content when only the mode changes`() throws {
    let mode = try FileSection(
      path: try TreePath("m"), old: entry(.regular, "1"), new: entry(.executable, "1"),
      content: .unchanged)
    #expect(try mode.apply(to: [1, 0, 2], byteCountMax: 3) == [1, 0, 2])
  }

  @Test func `has no content for submodules`() throws {
    let submodule = try FileSection(
      path: try TreePath("m"), old: nil, new: entry(.submodule, "1"), content: .submodule)
    #expect(try flaw(submodule, on: "") == .submodule)
  }

  @Test func `refuses result over limit`() throws {
    let path = try TreePath("m")
    let section = try change(Self.middle)
    let mode = try FileSection(
      path: path, old: entry(.regular, "1"), new: entry(.executable, "1"), content: .unchanged)
    let old = Array(Self.nine.utf8)
    #expect(try section.apply(to: old, byteCountMax: 21).count == 21)
    #expect(throws: PatchTextError.overLimit(.contentBytes, limit: 20, actual: 21)) {
      try section.apply(to: old, byteCountMax: 20)
    }
    #expect(throws: PatchTextError.overLimit(.contentBytes, limit: 17, actual: 18)) {
      try mode.apply(to: old, byteCountMax: 17)
    }
  }

  @Test func `applies hundred thousand changed lines`() throws {
    let count = 100_000
    let old = lines(count)
    let new = lines(count, "other")
    let minus = old.split(separator: "\n").map { "-\($0)\n" }.joined()
    let plus = new.split(separator: "\n").map { "+\($0)\n" }.joined()
    let section = try change("@@ -1,\(count) +1,\(count) @@\n\(minus)\(plus)")
    let text = try TextPatch([section]).printed()
    let reread = try TextPatch(parsing: text, limits: .wide)
    let result = try reread.sections[0].apply(to: Array(old.utf8), byteCountMax: 1 << 24)
    #expect(result == Array(new.utf8))
  }

  private func change(_ body: String) throws -> FileSection {
    try FileSection(
      path: try TreePath("m"), old: entry(.regular, "1"), new: entry(.regular, "2"),
      content: .text(try Hunk.hunks(fromBody: Array(body.utf8))))
  }

  private func flaw(_ section: FileSection, on old: String) throws -> ApplyFlaw? {
    try applyFlaw(section, on: Array(old.utf8))
  }
}

/// Why a section does not apply; `nil` when it does.
func applyFlaw(_ section: FileSection, on old: [UInt8]) throws -> ApplyFlaw? {
  do {
    _ = try section.apply(to: old, byteCountMax: 1 << 20)
    return nil
  } catch .doesNotApply(_, let flaw) {
    return flaw
  }
}
