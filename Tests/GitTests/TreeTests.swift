import Git
import GitModel
import TestSupport
import Testing

struct TreeTests {
  private static let id = [UInt8](repeating: 0x11, count: 20)

  private static func entry(_ mode: String, _ name: String) -> [UInt8] {
    Array("\(mode) \(name)\0".utf8) + id
  }

  @Test func `reads what git writes`() throws {
    let test = try TestRepository()
    try test.commit(["a": "1\n", "a-b": "2\n", "a.b": "3\n", "dir/x": "4\n", "dir-x": "5\n"])
    let tree = try test.open().objects.tree(test.id("HEAD^{tree}"))
    let names = tree.items.map { String(decoding: tree.name(of: $0), as: UTF8.self) }
    #expect(
      names
        == (try test.text(["ls-tree", "--name-only", "HEAD"])).split(separator: "\n").map(
          String.init))
    for item in tree.items {
      let name = tree.name(of: item)
      let found = try #require(tree.item(named: name))
      #expect(tree.id(of: found) == (try test.id("HEAD:" + String(decoding: name, as: UTF8.self))))
      #expect((tree.entry(of: found) == nil) == found.isDirectory)
    }
    #expect(tree.item(named: Array("di".utf8)[...]) == nil)
  }

  @Test(arguments: [
    ("100664", FileMode.regular), ("100666", .regular), ("100600", .regular),
    ("100777", .executable), ("100744", .executable), ("00000100644", .regular),
    ("120777", .symbolicLink), ("160000", .submodule), ("644", .submodule), ("010644", .submodule),
    ("040000", nil), ("40755", nil),
  ])
  func `a mode is read as git reads it`(spelling: String, mode: FileMode?) throws {
    #expect(try Tree(bytes: Self.entry(spelling, "a")).items.map(\.mode) == [mode])
  }

  @Test func `a tree out of order is read in order`() throws {
    let tree = try Tree(
      bytes: Self.entry("40000", "a") + Self.entry("100644", "b") + Self.entry("100644", "a.c"))
    let names = tree.items.map { String(decoding: tree.name(of: $0), as: UTF8.self) }
    #expect(names == ["a.c", "a", "b"])
    for name in names { #expect(tree.item(named: Array(name.utf8)[...]) != nil) }
  }

  @Test(arguments: [
    entry("100644", "a") + entry("100644", "a"),
    entry("100644", "a") + entry("100644", "b") + entry("100644", "a"),
    entry("100644", "a") + entry("40000", "a"),
    entry("100644", "a") + entry("100644", "a-b") + entry("40000", "a"),
    entry("40000", "a") + entry("100644", "a-b") + entry("100644", "a"),
    entry("100644", ""), entry("100644", "a/b"), entry("", "a"),
    entry("x00644", "a"), entry("77777777777", "a"), Array("100644 a".utf8),
    Array(entry("100644", "a").dropLast()), entry("100644", String(repeating: "n", count: 256)),
  ])
  func `refuses malformed tree`(bytes: [UInt8]) {
    let error = #expect(throws: GitError.self) { try Tree(bytes: bytes) }
    guard case .malformedTree = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func `edited tree is what git makes`() throws {
    let test = try TestRepository()
    var generator = SeededGenerator(seed: 2)
    let blob = try #require(ObjectID(hex: test.text(["hash-object", "-w", "--stdin"])))
    let directory = try #require(ObjectID(hex: test.text(["mktree"])))
    let names = [
      "a", "a-", "a.b", "a0", "ab", "b", "b-c", "b.c", "c", "c/".replacing("/", with: "z"),
    ]
    for _ in 0..<60 {
      var expected: [String: TreeEdit.Target] = [:]
      var tree = Tree.empty
      for _ in 0..<4 {
        var edits: [TreeEdit] = []
        for name in names where Bool.random(using: &generator) {
          let targets: [TreeEdit.Target] = [
            .nothing, .directory(directory), .entry(TreeEntry(mode: .executable, id: blob)),
          ]
          let target = targets[Int.random(in: 0..<3, using: &generator)]
          edits.append(TreeEdit(name: Array(name.utf8)[...], target: target))
          expected[name] = target
        }
        tree = try Tree(bytes: tree.edited(edits.shuffled(using: &generator)))
      }
      let lines = expected.compactMap { name, target in
        switch target {
        case .nothing: nil as String?
        case .directory(let id): "040000 tree \(id)\t\(name)\n"
        case .entry(let entry): "\(entry.mode.octal) blob \(entry.id)\t\(name)\n"
        }
      }
      let id = try test.text(["mktree"], input: Array(lines.joined().utf8))
      #expect(try ObjectDatabase.hash(.tree, tree.bytes).hex == id)
    }
  }
}
