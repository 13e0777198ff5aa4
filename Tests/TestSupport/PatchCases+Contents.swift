extension PatchCases {
  private static let header = [
    "diff --git a/x b/x", "index 123..456 100644", "--- a/x", "+++ b/x", "@@ -1,2 +1,2 @@", "-- ",
    "2.39.5", "", "GIT binary patch", "literal 3", "Binary files a/x and b/x differ",
    "\\ No newline at end of file", "-- ", "",
  ].joined(separator: "\n")

  private static let mail = [
    "From 1234 Mon Sep 17 00:00:00 2001", "From: A <a@b>", "Subject: [PATCH] hi", "", "---",
    " m | 1 +", "-- ", "2.1", "",
  ].joined(separator: "\n")

  static let headers: [(String, [String: CaseFile], [String: CaseFile])] = [
    ("only-nl", [:], ["m": file("\n")]),
    ("only-nl-mod", ["m": file("\n")], ["m": file("\n\n")]),
    ("only-nl-del", ["m": file("\n")], [:]),
    ("nl-to-empty", ["m": file("\n")], ["m": file("")]),
    ("empty-to-nl", ["m": file("")], ["m": file("\n")]),
    ("nl-to-noeol", ["m": file("\n")], ["m": file("x")]),
    ("hdr-add", [:], ["m": file(header)]),
    ("hdr-del", ["m": file(header)], [:]),
    (
      "hdr-mod", ["m": file(header)],
      ["m": file(header.replacing("2.39.5", with: "x").replacing("-- \n", with: "--  \n"))]
    ),
    ("hdr-delln", ["m": file(header)], ["m": file("diff --git a/x b/x\n")]),
    ("hdr-dashes", ["m": file("-- a/x\n++ b/x\n- \n")], ["m": file("-- a/y\n++ b/y\n")]),
    ("hdr-last", ["m": file("a\n-- \n")], ["m": file("a\n")]),
    (
      "hdr-bs", ["m": file("\\ No newline at end of file")],
      ["m": file("\\ No newline at end of file\n")]
    ),
    ("hdr-bs2", ["m": file("\\ x\n\\ y\n\\ z\n")], ["m": file("\\ x\n\\ Y\n\\ z")]),
    ("subject", [:], ["m": file(mail)]),
    (
      "patchfile-mod", ["m.patch": file(header + header + header)],
      ["m.patch": file(header + header + "x\n" + header)]
    ),
  ]

  static let oddTexts: [(String, [String: CaseFile], [String: CaseFile])] = [
    (
      "nul-late", ["m": file(String(repeating: "a", count: 9_000) + "\n\0bb\n")],
      ["m": file(String(repeating: "a", count: 9_000) + "\n\0bc\n")]
    ),
    (
      "nul-late-ctx", ["m": file(lines(2_000) + "q\0q\nend\n")],
      ["m": file(lines(2_000) + "q\0q\nEND\n")]
    ),
    ("ws-only", ["m": file("  a\n\tb \n \n")], ["m": file("  a  \n b\n\n")]),
    (
      "emptylines", ["m": file(String(repeating: "\n", count: 50))],
      ["m": file(String(repeating: "\n", count: 25) + "x" + String(repeating: "\n", count: 26))]
    ),
    ("utf16", ["m": file(utf16("héllo\nwörld\n"))], ["m": file(utf16("héllo\nwörld!\n"))]),
    (
      "invalid-utf8", ["m": file([0xff, 0xfe, 0xfa, 10, 0x80, 10])],
      ["m": file([0xff, 0xfe, 0xfb, 10, 0x80, 10])]
    ),
  ]

  private static func utf16(_ text: String) -> [UInt8] {
    [0xff, 0xfe] + text.utf16.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
  }

  static func largeTexts() -> [(String, [String: CaseFile], [String: CaseFile])] {
    let long = [UInt8](repeating: UInt8(ascii: "x"), count: 3_000_000)
    let many = lines(100_000)
    let edited = (0..<100_000).map { number in
      switch number {
      case 5_000: "x\n"
      case 99_990: "y\n"
      default: "line \(number)\n"
      }
    }
    let everySecond = (0..<100_000).map { "line \($0)\($0 % 2 == 0 ? "" : "!")\n" }
    return [
      ("longline", ["m": file(long + "\ny\n".utf8)], ["m": file(long + "z\ny\n".utf8)]),
      ("100k-edit", ["m": file(many)], ["m": file(edited.joined())]),
      ("100k-add", [:], ["m": file(many)]),
      ("100k-rewrite", ["m": file(many)], ["m": file(lines(100_000, "other"))]),
      ("100k-every2", ["m": file(many)], ["m": file(everySecond.joined())]),
    ]
  }

  private static let rules = file(
    """
    *.txt text eol=crlf
    *.bin binary
    *.nodiff -diff
    *.f filter=foo ident
    *.cs diff=csharp
    * text=auto
    *.u working-tree-encoding=UTF-16

    """)

  static let attributes: [(String, [String: CaseFile], [String: CaseFile])] = [
    (
      "attr-add", ["m.txt": file(text)], ["m.txt": file(text + "x\n"), ".gitattributes": rules]
    ),
    ruled("attr-crlf-mod", "m.txt", file(text), file(text + "x\n")),
    ruled(
      "attr-crlf-inrepo", "m.txt", file(text.replacing("\n", with: "\r\n")),
      file(text.replacing("\n", with: "\r\n") + "x\r\n")),
    ruled("attr-nodiff", "m.nodiff", file(text), file(text + "x\n")),
    ruled("attr-binary", "m.bin", file(text), file(text + "x\n")),
    ruled("attr-filter", "m.f", file(text + "$Id$\n"), file(text + "$Id: x$\n")),
    (
      "attr-difftext", [".gitattributes": file("*.b diff\n"), "m.b": file(binary)],
      [".gitattributes": file("*.b diff\n"), "m.b": file(editedBinary)]
    ),
    ruled("attr-diffdrv", "m.cs", file(text), file(text.replacing("line 30", with: "L30"))),
  ]

  private static func ruled(
    _ name: String, _ path: String, _ old: CaseFile, _ new: CaseFile
  ) -> (String, [String: CaseFile], [String: CaseFile]) {
    (name, [".gitattributes": rules, path: old], [".gitattributes": rules, path: new])
  }

  // MARK: - Paths

  static let paths: [(name: String, bytes: [UInt8])] = [
    ("space", Array("m a/b c.txt".utf8)), ("trailsp", Array("m/foo ".utf8)),
    ("leadsp", Array(" m".utf8)), ("spb", Array("m b/m".utf8)),
    ("quote", Array("m\"q\".txt".utf8)), ("bslash", Array("m\\x\\n.txt".utf8)),
    ("squote", Array("m'q.txt".utf8)), ("nl", Array("m\nq.txt".utf8)),
    ("tab", Array("m\tq.txt".utf8)), ("cr", Array("m\rq.txt".utf8)),
    ("ctl", Array("m\u{1}\u{7f}q.txt".utf8)), ("utf8", Array("mé文.txt".utf8)),
    ("nfd", Array("me\u{301}.txt".utf8)), ("latin1", Array("m".utf8) + [0xe9, 0xff] + ".txt".utf8),
    ("dashes", Array("--- a".utf8)), ("devnull", Array("dev/null".utf8)),
    ("slashdev", Array("a/dev/null".utf8)), ("ab", Array("a/b/c".utf8)),
    ("deep", Array((0..<60).map { "d\($0)/" }.joined().utf8) + "f".utf8),
    ("long", [UInt8](repeating: UInt8(ascii: "n"), count: 250)),
    ("glob", Array("m*?[x]".utf8)), ("dotgitish", Array(".gitx/y".utf8)),
    ("gitattr", Array("sub/.gitattributes".utf8)), ("eight", Array("mé \"q\" \\ \t.txt".utf8)),
  ]

  static func pairs(ofPath path: (name: String, bytes: [UInt8])) -> [Pair] {
    let at = path.bytes
    let changes: [(String, PatchCase.Files, PatchCase.Files)] = [
      ("mod", [at: file(text)], [at: file(text + "x\n")]),
      ("add", [:], [at: file(text)]),
      ("del", [at: file(text)], [:]),
      ("mode", [at: file(text)], [at: program(text)]),
      ("bin", [at: file(binary)], [at: file(editedBinary)]),
      ("binadd", [:], [at: file(binary)]),
      ("empty", [:], [at: file("")]),
      ("ren", [at: file(text)], [Array("moved.txt".utf8): file(text)]),
    ]
    return changes.map { ("path-\(path.name)-\($0.0)", $0.1, $0.2) }
  }
}
