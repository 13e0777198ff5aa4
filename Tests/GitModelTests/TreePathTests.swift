import GitModel
import Testing

/// A path becomes a `TreePath` only if no file system makes it a name outside the tree or inside `.git`.
@Suite struct TreePathTests {
  private static func hazard(_ bytes: [UInt8]) -> PathHazard? {
    do throws(UnsafePath) {
      _ = try TreePath(bytes)
      return nil
    } catch {
      #expect(error.path == bytes)
      return error.hazard
    }
  }

  private static func hazard(_ text: String) -> PathHazard? { hazard(Array(text.utf8)) }

  @Test(arguments: [
    "a", "a/b/c", "a b", "-a", "~", "...", "..a", "a..", ".a", ".gitignore", ".gitmodules",
    ".gitattributes", ".github/workflows/ci.yml", "git", "git/config", "gitx", "git~", "git~a",
    "git~1a", "a.git", ".git2", ".gi/t", ".g it", "dir/.keep", "é", "名", "a\nb", "\u{7f}", "\"",
    "a:b", "aux", "con", "a\\b",
  ])
  func `harmless path is taken`(_ path: String) {
    #expect(Self.hazard(path) == nil)
  }

  @Test func `bytes that are not text are taken`() {
    #expect(Self.hazard([0xff, 0xfe, 0x80]) == nil)
    #expect(Self.hazard([0xe2, 0x80]) == nil)
  }

  @Test(arguments: [".git", ".GIT", ".Git", ".gIt", ".giT"])
  func `any case of the git directory is refused`(_ name: String) {
    for path in [name, "\(name)/config", "a/\(name)", "a/\(name)/hooks/x"] {
      #expect(Self.hazard(path) == .gitDirectory, "\(path)")
    }
  }

  @Test(arguments: [
    "\u{200c}", "\u{200d}", "\u{200e}", "\u{200f}", "\u{202a}", "\u{202b}", "\u{202c}", "\u{202d}",
    "\u{202e}", "\u{206a}", "\u{206b}", "\u{206c}", "\u{206d}", "\u{206e}", "\u{206f}", "\u{feff}",
  ])
  func `code points that HFS ignores hide nothing`(_ ignored: String) {
    let characters = [".", "g", "i", "t"]
    for place in 0...4 {
      let name = (characters[..<place] + [ignored] + characters[place...]).joined()
      #expect(Self.hazard(Array(name.utf8)) == .gitDirectory)
      #expect(Self.hazard(Array("a/\(name.uppercased())/b".utf8)) == .gitDirectory)
    }
    #expect(Self.hazard(".\(ignored)g\(ignored)\(ignored)it\(ignored)") == .gitDirectory)
    #expect(Self.hazard("a\(ignored)b") == nil)
  }

  @Test(arguments: [
    ".git.", ".git..", ".git ", ".git . .", ".git:", ".git::$INDEX_ALLOCATION", ".git:stream",
    ".GIT .:x", ".git. :$DATA",
  ])
  func `endings that NTFS drops hide nothing`(_ name: String) {
    for path in [name, "\(name)/config", "a/\(name)/b"] {
      #expect(Self.hazard(path) == .gitDirectory, "\(path)")
    }
  }

  @Test(arguments: ["git~1", "GIT~1", "Git~2", "git~10", "git~1.", "git~1 ", "git~1:x"])
  func `short names of the git directory are refused`(_ name: String) {
    for path in [name, "\(name)/config", "a/\(name)", "a\\\(name)\\b"] {
      #expect(Self.hazard(path) == .shortName, "\(path)")
    }
  }

  @Test(arguments: [
    (".git\\config", PathHazard.gitDirectory), ("a\\.git\\b", .gitDirectory),
    ("\\.git", .gitDirectory), (".GIT.\\x", .gitDirectory), ("a/b\\.git", .gitDirectory),
    ("..\\a", .dot), ("a\\..\\b", .dot), ("a\\..", .dot), ("a/..\\b", .dot),
  ])
  func `backslashes separate on other systems`(_ path: String, _ hazard: PathHazard) {
    #expect(Self.hazard(path) == hazard)
  }

  @Test(arguments: [
    ("", PathHazard.empty), ("/", .emptyComponent), ("/a", .emptyComponent),
    ("a/", .emptyComponent), ("a//b", .emptyComponent), (".", .dot), ("..", .dot), ("./a", .dot),
    ("../a", .dot), ("a/.", .dot), ("a/..", .dot), ("a/../b", .dot), ("a/./b", .dot),
    ("a\0b", .nul), ("\0", .nul),
  ])
  func `path that is no list of names is refused`(_ path: String, _ hazard: PathHazard) {
    #expect(Self.hazard(path) == hazard)
  }

  @Test func `longest component is taken and one byte more refused`() {
    let longest = String(repeating: "c", count: TreePath.componentByteCountMax)
    #expect(Self.hazard(longest) == nil)
    #expect(Self.hazard("a/\(longest)/b") == nil)
    #expect(Self.hazard(longest + "c") == .componentTooLong)
  }

  @Test func `longest path is taken and one byte more refused`() {
    let component = String(repeating: "c", count: 63) + "/"
    let most = String(repeating: component, count: 63) + String(repeating: "d", count: 64)
    #expect(most.utf8.count == TreePath.byteCountMax)
    #expect(Self.hazard(most) == nil)
    #expect(Self.hazard(most + "d") == .tooLong)
  }

  @Test(arguments: [
    "a\nb", "a\tb", "\u{1b}[31m", "a\\b", "\u{7f}", "\u{80}", "é\u{9b}31m", "dir/\r",
  ])
  func `control characters and backslashes are unusual`(_ path: String) throws {
    #expect(try TreePath(path).isUnusual)
  }

  @Test(arguments: ["a b", "\"", "é", "\u{a0}", "\u{2026}", "ß", "中", "a'b", "-", "$(x)"])
  func `other characters are usual`(_ path: String) throws {
    #expect(try !TreePath(path).isUnusual)
  }

  @Test func `bytes that are no UTF-8 are unusual where a terminal could act on them`() throws {
    #expect(try TreePath([97, 0x9b, 97]).isUnusual)
    #expect(try !TreePath([97, 0xe9, 0xff]).isUnusual)
  }

  @Test func `paths are ordered as git orders them`() throws {
    let sorted = try ["a", "a-b", "a/b", "a0", "ab", "b", "é"].map { try TreePath($0) }
    #expect(sorted.shuffled().sorted() == sorted)
  }

  @Test func `components are what stands between slashes`() throws {
    #expect(try TreePath("a/bc/d").components.map { Array($0) } == [[97], [98, 99], [100]])
  }

  @Test func `people see git's quoting`() throws {
    #expect(try TreePath("a\"b\\\n é").description == #""a\"b\\\012 \303\251""#)
    let error = #expect(throws: UnsafePath.self) { try TreePath("a\0") }
    #expect(error?.description == #"path "a\000": has a NUL byte"#)
  }
}
