extension PatchCases {
  typealias Pair = (name: String, old: PatchCase.Files?, new: PatchCase.Files?)

  static func pairs() -> [Pair] {
    let plain =
      endings + emptyFiles + binaries + largeBinaries() + modes + links + types + renames
      + submodules + headers + oddTexts + largeTexts() + attributes + directories
    return plain.map { ($0.0, side($0.1), side($0.2)) } + wholeTrees + paths.flatMap(pairs(ofPath:))
  }

  private typealias Sides = (String, [String: CaseFile], [String: CaseFile])

  private static let endings: [Sides] = [
    (
      "text-edit", ["f.txt": file(text)],
      [
        "f.txt": file(
          text.replacing("line 20\n", with: "line twenty\nmore\n").replacing("line 50\n", with: ""))
      ]
    ),
    (
      "text-2hunks", ["f.txt": file(lines(500))],
      [
        "f.txt": file(
          lines(500).replacing("line 20\n", with: "x\n").replacing("line 400\n", with: "y\n"))
      ]
    ),
    ("noeol-both", ["f": file("a\nb")], ["f": file("a\nc")]),
    ("noeol-add", ["f": file("a\nb")], ["f": file("a\nb\n")]),
    ("noeol-rem", ["f": file("a\nb\n")], ["f": file("a\nb")]),
    ("noeol-ctx", ["f": file("a\nb\nc")], ["f": file("x\nb\nc")]),
    ("noeol-newfile", [:], ["f": file("abc")]),
    ("noeol-delfile", ["f": file("abc")], [:]),
    ("noeol-append", ["f": file("a")], ["f": file("a\nb\nc")]),
    ("noeol-trunc", ["f": file("a\nb\nc")], ["f": file("a")]),
    ("crlf-edit", ["f": file(crlf)], ["f": file(replacing(crlf, "line 7\r", "L7\r"))]),
    ("crlf-to-lf", ["f": file(crlf)], ["f": file(lines(30))]),
    ("cr-only", ["f": file("a\rb\rc\r")], ["f": file("a\rB\rc\r")]),
    ("noeol-cr", ["f": file("a\nb\r")], ["f": file("a\nc\r")]),
  ]

  private static let crlf = lines(30).utf8.flatMap { $0 == 10 ? [13, 10] : [$0] }

  /// As bytes: to `String`, a carriage return and a newline are one character.
  private static func replacing(_ bytes: [UInt8], _ part: String, _ other: String) -> [UInt8] {
    bytes.replacing(Array(part.utf8), with: Array(other.utf8))
  }

  private static let emptyFiles: [Sides] = [
    ("empty-add", [:], ["m/empty": file("")]),
    ("empty-del", ["m/empty": file("")], [:]),
    ("empty-add-x", [:], ["m/empty": program("")]),
    ("empty-two", [:], ["m/e1": file(""), "m/e2": file("")]),
    ("empty-fill", ["m": file("")], ["m": file("now\n")]),
    ("empty-drain", ["m": file("now\n")], ["m": file("")]),
    ("empty-modechg", ["m": file("")], ["m": program("")]),
  ]

  private static let binaries: [Sides] = [
    ("bin-add", [:], ["m.bin": file(binary)]),
    ("bin-mod-delta", ["m.bin": file(binary)], ["m.bin": file(editedBinary)]),
    (
      "bin-mod-literal", ["m.bin": file(binary)],
      ["m.bin": file([0] + randomBytes(300, seed: 8))]
    ),
    ("bin-del", ["m.bin": file(binary)], [:]),
    ("bin-to-text", ["m.bin": file(binary)], ["m.bin": file(text)]),
    ("text-to-bin", ["m.bin": file(text)], ["m.bin": file(binary)]),
    ("bin-to-empty", ["m.bin": file(binary)], ["m.bin": file("")]),
    ("empty-to-bin", ["m.bin": file("")], ["m.bin": file(binary)]),
    ("bin-mode-and-mod", ["m.bin": file(binary)], ["m.bin": program(editedBinary)]),
    ("bin-tiny", ["m.bin": file("\0")], ["m.bin": file("\0\0")]),
  ]

  private static func largeBinaries() -> [Sides] {
    let large = randomBytes(20 << 20, seed: 9)
    let edited = large.prefix(9_000_000) + "hello".utf8 + large.dropFirst(9_000_000)
    return [
      ("bin20M-add", [:], ["m.bin": file(large)]),
      ("bin20M-mod", ["m.bin": file(large)], ["m.bin": file(edited)]),
      ("bin20M-del", ["m.bin": file(large)], [:]),
    ]
  }

  private static let modes: [Sides] = [
    ("mode-on", ["m": file(text)], ["m": program(text)]),
    ("mode-off", ["m": program(text)], ["m": file(text)]),
    ("mode-and-edit", ["m": file(text)], ["m": program(text + "x\n")]),
    ("mode-bin-only", ["m": file(binary)], ["m": program(binary)]),
    // No program writes mode 100664 any more; what is left of the case is an edit.
    ("mode664", ["m": file(text)], ["m": file(text + "x\n")]),
  ]

  private static let links: [Sides] = [
    ("sym-add", [:], ["m": link("target/x")]),
    ("sym-chg", ["m": link("target/x")], ["m": link("other")]),
    ("sym-del", ["m": link("target/x")], [:]),
    ("sym-to-file", ["m": link("target/x")], ["m": file(text)]),
    ("file-to-sym", ["m": file(text)], ["m": link("target/x")]),
    ("file-to-sym-same", ["m": file("target/x")], ["m": link("target/x")]),
    ("bin-to-sym", ["m": file(binary)], ["m": link("target/x")]),
    ("empty-to-sym", ["m": file("")], ["m": link("target/x")]),
    ("sym-to-x", ["m": link("a\n")], ["m": program("a\nb\n")]),
    ("sym-nl", [:], ["m": link("a\nb\n")]),
  ]

  private static let types: [Sides] = [
    ("file-to-dir", ["m": file(text)], ["m/a": file(text), "m/b": file("x\n")]),
    ("dir-to-file", ["m/a": file(text), "m/b": file("x\n")], ["m": file(text)]),
    ("file-to-dir-deep", ["m": file(text)], ["m/a/b/c": file(text)]),
    ("dir-to-file-deep", ["m/a/b/c": file(text)], ["m": file(text)]),
    ("sym-to-dir", ["m": link("x")], ["m/a": file(text)]),
    ("dir-to-sym", ["m/a": file(text)], ["m": link("x")]),
    (
      "dir-to-sym-sib", ["m/a": file(text), "m-x": file("1\n"), "m.x": file("1\n")],
      ["m": link("x"), "m-x": file("2\n"), "m.x": file("2\n")]
    ),
  ]

  private static let renames: [Sides] = [
    ("rename-exact", ["m/old.txt": file(text)], ["m/new.txt": file(text)]),
    (
      "rename-edit", ["m/old.txt": file(text)],
      ["m/new.txt": file(text.replacing("line 9\n", with: "LINE 9\n"))]
    ),
    ("rename-dir", numbered("m"), numbered("n")),
    (
      "rename-swap", ["m/a": file(text + "aaa\n"), "m/b": file(lines(60, "other"))],
      ["m/b": file(text + "aaa\n"), "m/a": file(lines(60, "other"))]
    ),
    (
      "rename-chain", ["m/a": file(text + "aaa\n"), "m/b": file(lines(60, "other"))],
      ["m/b": file(text + "aaa\n"), "m/c": file(lines(60, "other"))]
    ),
    ("rename-mode", ["m/a": file(text)], ["m/b": program(text)]),
    ("rename-bin", ["m/a": file(binary)], ["m/b": file(editedBinary)]),
    ("rename-to-parent", ["m/m": file(text)], ["m": file(text)]),
    ("copy", ["m/a": file(text)], ["m/a": file(text), "m/b": file(text)]),
    (
      "copy-edit", ["m/a": file(text)], ["m/a": file(text + "1\n"), "m/b": file(text + "2\n")]
    ),
  ]

  private static func numbered(_ directory: String) -> [String: CaseFile] {
    Dictionary(
      uniqueKeysWithValues: (0..<5).map { ("\(directory)/\($0).txt", file(text + "\($0)\n")) })
  }

  private static let submodules: [Sides] = [
    ("sub-add", [:], ["m": submodule("1")]),
    ("sub-chg", ["m": submodule("1")], ["m": submodule("2")]),
    ("sub-del", ["m": submodule("1")], [:]),
    ("sub-to-file", ["m": submodule("1")], ["m": file(text)]),
    ("file-to-sub", ["m": file(text)], ["m": submodule("1")]),
    ("sub-to-dir", ["m": submodule("1")], ["m/a": file(text)]),
    ("dir-to-sub", ["m/a": file(text)], ["m": submodule("1")]),
    (
      "sub-present-otherfile", ["m": submodule("1"), "n": file(text)],
      ["m": submodule("1"), "n": file(text + "x\n")]
    ),
  ]

  private static let directories: [Sides] = [
    ("deldir", ["m/a/b/c.txt": file(text), "m/a/d.txt": file(text)], [:]),
    (
      "deldir-part", ["m/a/b/c.txt": file(text), "m/d.txt": file(text)], ["m/d.txt": file(text)]
    ),
    ("identical", ["m": file(text)], ["m": file(text)]),
  ]

  private static let wholeTrees: [Pair] = [
    ("del-all", side(["m/a": file(text)]), nil), ("add-all", nil, side(["m/a": file(text)])),
  ]
}
