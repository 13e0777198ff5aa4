import GitModel
import TestSupport

/// A file of one side of a case; a submodule's content is the id of its commit.
struct CaseFile {
  let mode: FileMode
  let content: [UInt8]
}

/// Two trees that differ in an awkward way, as paths and files.
struct PatchCase {
  let name: String
  let old: [TreePath: CaseFile]
  let new: [TreePath: CaseFile]
}

typealias Side = [String: CaseFile]

func regular(_ content: String) -> CaseFile {
  CaseFile(mode: .regular, content: Array(content.utf8))
}

func regular(_ content: [UInt8]) -> CaseFile { CaseFile(mode: .regular, content: content) }

func executable(_ content: String) -> CaseFile {
  CaseFile(mode: .executable, content: Array(content.utf8))
}

func link(_ target: String) -> CaseFile {
  CaseFile(mode: .symbolicLink, content: Array(target.utf8))
}

func submodule(_ digit: Character) -> CaseFile {
  CaseFile(mode: .submodule, content: Array(String(repeating: digit, count: 40).utf8))
}

func lines(_ count: Int, _ prefix: String = "line") -> String {
  (0..<count).map { "\(prefix) \($0)\n" }.joined()
}

enum PatchCases {
  static let text = lines(60)
  static let edited = text.replacing("line 20\n", with: "line twenty\nmore\n")
    .replacing("line 50\n", with: "")
  static let binary: [UInt8] = [0, 1, 2] + randomBytes(5_000, seed: 7)
  static let editedBinary =
    Array(binary[..<2_000]) + Array("INS\0ERT".utf8) + Array(binary[2_100...])

  static func randomBytes(_ count: Int, seed: UInt64) -> [UInt8] {
    var generator = SeededGenerator(seed: seed)
    return generator.bytes(count)
  }

  /// Every case stands beside files that change on both sides of it, and one that does not.
  static func all() throws -> [PatchCase] {
    let before: Side = [
      "aa/0": regular(lines(9)), "keep/1": regular("one\n"), "zz/9": regular(lines(9)),
    ]
    let after: Side = [
      "aa/0": regular(lines(9) + "tail\n"), "aa/1": regular("new\n"), "keep/1": regular("one\n"),
      "zz/9": regular("head\n" + lines(9)),
    ]
    var cases: [PatchCase] = []
    for (name, old, new) in pairs() {
      let old = try files(old.merging(before) { left, _ in left })
      let new = try files(new.merging(after) { left, _ in left })
      cases.append(PatchCase(name: name, old: old, new: new))
    }
    for (name, bytes) in paths {
      let path = try TreePath(bytes)
      cases += [
        PatchCase(
          name: "path-\(name)", old: [path: regular(text)], new: [path: regular(edited)]),
        PatchCase(
          name: "path-\(name)-mode", old: [path: regular(text)], new: [path: executable(text)]),
        PatchCase(
          name: "path-\(name)-binary", old: [path: regular(binary)],
          new: [path: regular(editedBinary)]),
        PatchCase(name: "path-\(name)-add", old: [:], new: [path: regular(text)]),
        PatchCase(name: "path-\(name)-delete", old: [path: regular("")], new: [:]),
      ]
    }
    return cases
  }

  private static func files(_ side: Side) throws -> [TreePath: CaseFile] {
    var files: [TreePath: CaseFile] = [:]
    for (path, file) in side { files[try TreePath(path)] = file }
    return files
  }

  static let paths: [(name: String, bytes: [UInt8])] = [
    ("space", Array("m a/b c.txt".utf8)), ("trailing-space", Array("m/foo ".utf8)),
    ("leading-space", Array(" m".utf8)), ("space-b", Array("m b/m".utf8)),
    ("quote", Array("m\"q\".txt".utf8)), ("single-quote", Array("m'q.txt".utf8)),
    ("backslash", Array("m\\x\\n.txt".utf8)), ("newline", Array("m\nq.txt".utf8)),
    ("tab", Array("m\tq".utf8)), ("return", Array("m\rq".utf8)),
    ("control", Array("m\u{1}\u{7f}q".utf8)), ("utf8", Array("mé文.txt".utf8)),
    ("latin1", [0x6d, 0xe9, 0xff, 0x2e]), ("dashes", Array("--- a".utf8)),
    ("null-device", Array("dev/null".utf8)), ("a-b", Array("a/b/c".utf8)),
    ("glob", Array("m*?[x]".utf8)), ("long", Array(repeating: 0x6e, count: 250)),
  ]

  private static func pairs() -> [(String, Side, Side)] {
    textPairs + endPairs + binaryPairs + modePairs + typePairs + headerPairs
  }

  private static let textPairs: [(String, Side, Side)] = [
    ("edit", ["m": regular(text)], ["m": regular(edited)]),
    ("mode-and-edit", ["m": regular(text)], ["m": executable(edited)]),
    ("add", [:], ["m": regular(text)]),
    ("delete", ["m": regular(text)], [:]),
    ("rewrite", ["m": regular(lines(400))], ["m": regular(lines(500, "other"))]),
    (
      "every-second", ["m": regular(lines(300))],
      ["m": regular((0..<300).map { "line \($0)\($0 % 2 == 0 ? "" : "!")\n" }.joined())]
    ),
    (
      "every-seventh", ["m": regular(lines(300))],
      ["m": regular((0..<300).map { $0 % 7 == 0 ? "" : "line \($0)\n" }.joined())]
    ),
    (
      "every-eighth", ["m": regular(lines(300))],
      ["m": regular((0..<300).map { $0 % 8 == 0 ? "x\n" : "line \($0)\n" }.joined())]
    ),
    (
      "rename-swap", ["m/a": regular(text), "m/b": regular("b\n")],
      ["m/a": regular("b\n"), "m/b": regular(text)]
    ),
    ("white-space", ["m": regular("  a\n\tb \n \n")], ["m": regular("  a  \n b\n\n")]),
    (
      "empty-lines", ["m": regular(String(repeating: "\n", count: 50))],
      ["m": regular(String(repeating: "\n", count: 25) + "x" + String(repeating: "\n", count: 26))]
    ),
    (
      "long-line", ["m": regular(String(repeating: "x", count: 300_000) + "\ny\n")],
      ["m": regular("z\ny\n")]
    ),
    (
      "invalid-utf8", ["m": regular([0xff, 0xfe, 10, 0x80, 10])],
      ["m": regular([0xff, 0xfb, 10, 0x80, 10])]
    ),
  ]

  private static let endPairs: [(String, Side, Side)] = [
    ("no-end-both", ["m": regular("a\nb")], ["m": regular("a\nc")]),
    ("no-end-added", ["m": regular("a\nb")], ["m": regular("a\nb\n")]),
    ("no-end-removed", ["m": regular("a\nb\n")], ["m": regular("a\nb")]),
    ("no-end-context", ["m": regular("a\nb\nc")], ["m": regular("x\nb\nc")]),
    ("no-end-far", ["m": regular(lines(20) + "z")], ["m": regular("x\n" + lines(20) + "z")]),
    ("no-end-third", ["m": regular("1\n2\n3\n4")], ["m": regular("x\n2\n3\n4")]),
    ("no-end-new", [:], ["m": regular("abc")]),
    ("no-end-deleted", ["m": regular("abc")], [:]),
    ("no-end-append", ["m": regular("a")], ["m": regular("a\nb\nc")]),
    ("no-end-truncate", ["m": regular("a\nb\nc")], ["m": regular("a")]),
    (
      "return-edit", ["m": regular("1\r\n2\r\n3\r\n")], ["m": regular("1\r\nx\r\n3\r\n")]
    ),
    ("return-to-newline", ["m": regular("1\r\n2\r\n")], ["m": regular("1\n2\n")]),
    ("return-only", ["m": regular("a\rb\rc\r")], ["m": regular("a\rB\rc\r")]),
    ("no-end-return", ["m": regular("a\nb\r")], ["m": regular("a\nc\r")]),
    ("empty-add", [:], ["m/e": regular("")]),
    ("empty-add-executable", [:], ["m/e": executable("")]),
    ("empty-delete", ["m/e": regular("")], [:]),
    ("empty-fill", ["m": regular("")], ["m": regular("now\n")]),
    ("empty-drain", ["m": regular("now\n")], ["m": regular("")]),
    ("empty-mode", ["m": regular("")], ["m": executable("")]),
    ("only-newline", ["m": regular("\n")], ["m": regular("\n\n")]),
    ("newline-to-empty", ["m": regular("\n")], ["m": regular("")]),
  ]

  private static let binaryPairs: [(String, Side, Side)] = [
    ("binary-add", [:], ["m": regular(binary)]),
    ("binary-edit", ["m": regular(binary)], ["m": regular(editedBinary)]),
    ("binary-delete", ["m": regular(binary)], [:]),
    ("binary-to-text", ["m": regular(binary)], ["m": regular(text)]),
    ("text-to-binary", ["m": regular(text)], ["m": regular(binary)]),
    ("binary-to-empty", ["m": regular(binary)], ["m": regular("")]),
    ("empty-to-binary", ["m": regular("")], ["m": regular(binary)]),
    ("binary-tiny", ["m": regular("\0")], ["m": regular("\0\0")]),
    (
      "binary-late", ["m": regular(String(repeating: "a", count: 9_000) + "\n\0b\n")],
      ["m": regular(String(repeating: "a", count: 9_000) + "\n\0c\n")]
    ),
  ]

  private static let modePairs: [(String, Side, Side)] = [
    ("mode-on", ["m": regular(text)], ["m": executable(text)]),
    ("mode-off", ["m": executable(text)], ["m": regular(text)]),
    ("link-add", [:], ["m": link("target/x")]),
    ("link-change", ["m": link("target/x")], ["m": link("other")]),
    ("link-delete", ["m": link("target/x")], [:]),
    ("link-newline", [:], ["m": link("a\nb\n")]),
    ("submodule-add", [:], ["m": submodule("1")]),
    ("submodule-change", ["m": submodule("1")], ["m": submodule("2")]),
    ("submodule-delete", ["m": submodule("1")], [:]),
  ]

  static let typePairs: [(String, Side, Side)] = [
    ("link-to-file", ["m": link("target/x")], ["m": regular(text)]),
    ("link-to-executable", ["m": link("a\n")], ["m": executable("a\nb\n")]),
    ("file-to-link", ["m": regular(text)], ["m": link("target/x")]),
    ("file-to-link-same", ["m": regular("target/x")], ["m": link("target/x")]),
    ("empty-to-link", ["m": regular("")], ["m": link("target/x")]),
    ("binary-to-link", ["m": regular(binary)], ["m": link("target/x")]),
    ("file-to-directory", ["m": regular(text)], ["m/a": regular(text), "m/b": regular("x\n")]),
    ("directory-to-file", ["m/a": regular(text), "m/b": regular("x\n")], ["m": regular(text)]),
    ("file-to-directory-deep", ["m": regular(text)], ["m/a/b/c": regular(text)]),
    ("directory-to-file-deep", ["m/a/b/c": regular(text)], ["m": regular(text)]),
    ("link-to-directory", ["m": link("x")], ["m/a": regular(text)]),
    ("directory-to-link", ["m/a": regular(text)], ["m": link("x")]),
    (
      "directory-to-link-siblings",
      ["m/a": regular(text), "m-x": regular("1\n"), "m.x": regular("1\n")],
      ["m": link("x"), "m-x": regular("2\n"), "m.x": regular("2\n")]
    ),
    ("file-to-parent", ["m/m": regular(text)], ["m": regular(text)]),
    ("submodule-to-file", ["m": submodule("1")], ["m": regular(text)]),
    ("file-to-submodule", ["m": regular(text)], ["m": submodule("1")]),
    ("submodule-to-directory", ["m": submodule("1")], ["m/a": regular(text)]),
    ("directory-to-submodule", ["m/a": regular(text)], ["m": submodule("1")]),
  ]

  private static let header = """
    diff --git a/x b/x
    index 123..456 100644
    --- a/x
    +++ b/x
    @@ -1,2 +1,2 @@
    -- \n2.39.5

    GIT binary patch
    literal 3
    Binary files a/x and b/x differ
    \\ No newline at end of file
    -- \n
    """

  private static let headerPairs: [(String, Side, Side)] = [
    ("header-add", [:], ["m": regular(header)]),
    ("header-delete", ["m": regular(header)], [:]),
    (
      "header-edit", ["m": regular(header)],
      ["m": regular(header.replacing("2.39.5", with: "x").replacing("-- \n", with: "--  \n"))]
    ),
    ("header-line", ["m": regular(header)], ["m": regular("diff --git a/x b/x\n")]),
    ("header-dashes", ["m": regular("-- a/x\n++ b/x\n- \n")], ["m": regular("-- a/y\n++ b/y\n")]),
    ("header-last", ["m": regular("a\n-- \n")], ["m": regular("a\n")]),
    (
      "header-mark", ["m": regular("\\ No newline at end of file")],
      ["m": regular("\\ No newline at end of file\n")]
    ),
    ("header-backslash", ["m": regular("\\ x\n\\ y\n\\ z\n")], ["m": regular("\\ x\n\\ Y\n\\ z")]),
  ]
}
