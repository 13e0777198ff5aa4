import Git
import GitModel
import TestSupport
import Testing

struct DifferenceTests {
  @Test func `hunks are what git applies`() throws {
    let test = try TestRepository()
    var generator = SeededGenerator(seed: 5)
    for round in 0..<60 {
      let old = Self.text(&generator, lineCount: round * 3)
      let new = Self.changed(old, &generator)
      let hunks = try Difference.hunks(old: old, new: new)
      #expect(hunks.isEmpty == (old == new))
      if hunks.isEmpty { continue }
      try test.write("f", old)
      try test.git(
        ["apply", "--unidiff-zero", "-"], input: Array("--- a/f\n+++ b/f\n".utf8) + hunks)
      #expect(
        try test.git(["hash-object", "f"]) == test.git(["hash-object", "--stdin"], input: new))
    }
  }

  @Test func `hunks are those that git prints`() throws {
    let test = try TestRepository()
    let old = Array((0..<40).map { "line \($0)\n" }.joined().utf8)
    let new = Array((0..<40).map { $0 == 20 ? "changed\n" : "line \($0)\n" }.joined().utf8)
    try test.write("f", old)
    try test.git(["add", "f"])
    try test.write("f", new)
    let printed = try test.text(["diff", "--no-color"]).split(separator: "\n").dropFirst(4)
    var hunks = String(decoding: try Difference.hunks(old: old, new: new), as: UTF8.self)
      .split(separator: "\n")
    #expect(hunks.removeFirst() == "@@ -18,7 +18,7 @@")
    #expect(hunks.elementsEqual(printed.dropFirst()))
    #expect(printed.first?.hasPrefix("@@ -18,7 +18,7 @@") == true)
  }

  @Test func `hunks tell missing newlines and empty sides`() throws {
    let cases: [(String, String, String)] = [
      ("", "a\n", "@@ -0,0 +1 @@\n+a\n"),
      ("a\n", "", "@@ -1 +0,0 @@\n-a\n"),
      ("a", "a\n", "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n"),
      ("a\nb", "c\nb", "@@ -1,2 +1,2 @@\n-a\n+c\n b\n\\ No newline at end of file\n"),
      ("", "a", "@@ -0,0 +1 @@\n+a\n\\ No newline at end of file\n"),
      ("a\r\n", "a\n", "@@ -1 +1 @@\n-a\r\n+a\n"),
      ("same", "same", ""),
    ]
    for (old, new, expected) in cases {
      let hunks = try Difference.hunks(old: Array(old.utf8), new: Array(new.utf8))
      #expect(String(decoding: hunks, as: UTF8.self) == expected)
    }
  }

  @Test func `binary data is small where contents are alike`() throws {
    var generator = SeededGenerator(seed: 6)
    let old = generator.bytes(5_000)
    let new = old.prefix(2_000) + [0, 1, 2] + old.dropFirst(2_100)
    let pair = try #require(try Difference.binary(old: old, new: Array(new)))
    #expect(pair.forward.kind == .delta)
    #expect(pair.forward.deflated.count < 100)
    let other = try #require(try Difference.binary(old: old, new: [0]))
    #expect(other.forward.kind == .literal)
    #expect(other.forward.inflatedByteCount == 1)
    #expect(other.reverse.kind == .literal)
    #expect(other.reverse.inflatedByteCount == 5_000)
    #expect(try Difference.binary(old: old, new: old) == nil)
    let addition = try #require(try Difference.binary(old: [], new: old))
    #expect(addition.forward.inflatedByteCount == 5_000)
    #expect(addition.reverse.inflatedByteCount == 0)
  }

  private static func text(_ generator: inout SeededGenerator, lineCount: Int) -> [UInt8] {
    var text: [UInt8] = []
    for _ in 0..<lineCount {
      text += "line \(Int.random(in: 0..<20, using: &generator))\n".utf8
    }
    if Bool.random(using: &generator) { text += "end".utf8 }
    return text
  }

  private static func changed(_ old: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
    var lines = old.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map(
      Array.init)
    for _ in 0..<Int.random(in: 0..<6, using: &generator) {
      let position = Int.random(in: 0..<lines.count, using: &generator)
      if Bool.random(using: &generator) {
        lines.insert(Array("new \(position)".utf8), at: position)
      } else if lines.count > 1 {
        lines.remove(at: position)
      }
    }
    return Array(lines.joined(separator: [UInt8(ascii: "\n")]))
  }
}
