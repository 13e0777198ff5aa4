import Git
import GitModel
import TestSupport
import Testing

struct TreeChangesTests {
  /// A tree of the given files through git's index; content and kind come from the generator.
  private static func tree(_ test: TestRepository, _ generator: inout SeededGenerator) throws
    -> ObjectID
  {
    let paths = ["a", "a-b", "a/x", "a/y/z", "b", "b/c", "b/d/e/f", "b.c", "c d", "\u{e9}", "z"]
    var lines = ""
    var taken: [String] = []
    for path in paths.shuffled(using: &generator) where Bool.random(using: &generator) {
      if taken.contains(where: { $0.hasPrefix(path + "/") || path.hasPrefix($0 + "/") }) {
        continue
      }
      taken.append(path)
      let content = [UInt8](repeating: UInt8.random(in: 65...67, using: &generator), count: 2)
      let id = try test.text(["hash-object", "-w", "--stdin"], input: content)
      let modes = ["100644", "100755", "120000", "160000"]
      lines += "\(modes[Int.random(in: 0..<4, using: &generator)]) \(id)\t\(path)\n"
    }
    try test.git(["read-tree", "--empty"])
    try test.git(["update-index", "--index-info"], input: Array(lines.utf8))
    return try #require(ObjectID(hex: try test.text(["write-tree"])))
  }

  @Test func `changes are those of git`() throws {
    let test = try TestRepository()
    var generator = SeededGenerator(seed: 3)
    let objects = try test.open().objects
    var trees: [ObjectID] = []
    for _ in 0..<12 { trees.append(try Self.tree(test, &generator)) }
    let empty = try #require(ObjectID(hex: try test.text(["mktree"])))
    for old in trees {
      for new in trees.prefix(4) + [empty] {
        let expected = try test.text([
          "diff-tree", "-r", "--raw", "--no-renames", "--full-index", "-z", old.hex, new.hex,
        ])
        let changes = try objects.changes(from: old, to: new)
        let lines = changes.map { change in
          let (old, new) = (change.old, change.new)
          return ":\(old?.mode.octal ?? "000000") \(new?.mode.octal ?? "000000") "
            + "\(old?.id ?? .zero) \(new?.id ?? .zero) \(Self.status(change))\0"
            + String(decoding: change.path.bytes, as: UTF8.self) + "\0"
        }
        #expect(lines.joined() == expected)
        for change in changes {
          #expect(try objects.entry(at: change.path, inTree: old) == change.old)
          #expect(try objects.entry(at: change.path, inTree: new) == change.new)
        }
      }
      #expect(
        try objects.changes(from: nil, to: old).map(\.new)
          == objects.changes(from: empty, to: old).map(\.new))
    }
  }

  private static func status(_ change: TreeChange) -> String {
    guard let old = change.old else { return "A" }
    guard let new = change.new else { return "D" }
    let kinds: [FileMode: Int] = [.regular: 0, .executable: 0, .symbolicLink: 1, .submodule: 2]
    return kinds[old.mode] == kinds[new.mode] ? "M" : "T"
  }

  @Test func `objects are all that the other side lacks`() throws {
    let test = try TestRepository()
    var generator = SeededGenerator(seed: 4)
    let objects = try test.open().objects
    var trees: [ObjectID] = []
    for _ in 0..<10 { trees.append(try Self.tree(test, &generator)) }
    for old in trees {
      for new in trees {
        let has = try Self.reachable(test, old)
        let needs = try Self.reachable(test, new)
        let sent = try objects.objects(of: new, notIn: old)
        #expect(needs.subtracting(has).isSubset(of: sent.map(\.id)))
        #expect(needs.isSuperset(of: sent.map(\.id)))
        #expect(Set(sent.map(\.id)).count == sent.count)
        for object in sent { #expect(try objects.header(object.id).kind == object.kind) }
      }
      let all = try objects.objects(of: old, notIn: nil)
      #expect(Set(all.map(\.id)) == (try Self.reachable(test, old)))
    }
  }

  private static func reachable(_ test: TestRepository, _ tree: ObjectID) throws -> Set<ObjectID> {
    let lines = try test.text(["rev-list", "--objects", tree.hex]).split(separator: "\n")
    return Set(lines.compactMap { ObjectID(hex: $0.prefix(40)) })
  }

  @Test func `moved directory needs no blob again`() throws {
    let test = try TestRepository()
    let old = try test.commit(["d/a": "1\n", "d/b": "2\n", "k": "3\n"])
    try test.git(["mv", "d", "e"])
    let new = try test.commit(["k": "4\n"])
    let objects = try test.open().objects
    let sent = try objects.objects(of: objects.commit(new).tree, notIn: objects.commit(old).tree)
    #expect(sent.map(\.kind) == [.tree, .blob])
    #expect(sent.map(\.id) == [try test.id("HEAD^{tree}"), try test.id("HEAD:k")])
  }

  @Test func `history needs every commits objects`() throws {
    let test = try TestRepository()
    let base = try test.commit(["a": "0\n", "b": "0\n"])
    try test.commit(["a": "1\n"])
    try test.git(["checkout", "-q", "-b", "side", base.hex])
    try test.commit(["c": "1\n"])
    try test.git(["checkout", "-q", "main"])
    try test.git(["merge", "-q", "--no-ff", "-m", "merge", "side"])
    let tip = try test.commit(["a": "0\n"])
    let repository = try test.open()
    let commits = try repository.commits(from: base, to: tip, countMax: 10)
    let sent = try repository.objects.objects(ofCommits: commits, notIn: base)
    let expected = try test.text(["rev-list", "--objects", tip.hex, "^" + base.hex])
      .split(separator: "\n").map { String($0.prefix(40)) }
    #expect(Set(sent.map(\.id.hex)) == Set(expected))
    #expect(sent.count == expected.count)
  }

  @Test(arguments: [".git", ".GIT", ".git ", "git~1", "..", ".g\u{200c}it"])
  func `refuses unsafe path`(name: String) throws {
    let test = try TestRepository()
    let objects = try test.open().objects
    let blob = try objects.write(.blob, [])
    let bytes = Array("100644 \(name)\0".utf8) + blob.bytes
    let inner = try objects.write(.tree, bytes)
    let outer = try objects.write(.tree, Array("40000 d\0".utf8) + inner.bytes)
    for operation in [
      { _ = try objects.changes(from: nil, to: outer) },
      { _ = try objects.missingObjects(ofTree: outer, known: nil) },
    ] {
      let error = #expect(throws: GitError.self) { try operation() }
      guard case .unsafePath(let path) = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(path.path == Array("d/\(name)".utf8))
    }
  }

  @Test func `refuses trees that are too deep or too manifold`() throws {
    let test = try TestRepository()
    let objects = try test.open().objects
    var directory = try objects.write(
      .tree, Array("100644 f\0".utf8) + objects.write(.blob, []).bytes)
    for _ in 0..<20 {
      let names = ["a", "b"].flatMap { Array("40000 \($0)\0".utf8) + directory.bytes }
      directory = try objects.write(.tree, names)
    }
    let excess = TreeExcess(.directories, limit: 1_000)
    #expect(throws: GitError.treeOverLimit(excess)) {
      try objects.changes(from: nil, to: directory, limits: TreeLimits(pathCountMax: 1_000))
    }
    let error = #expect(throws: GitError.self) {
      try objects.changes(from: nil, to: directory, limits: TreeLimits(depthMax: 10))
    }
    guard case .treeTooDeep(_, depthMax: 10) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    // The same directory under two million paths is looked at once.
    #expect(try objects.missingObjects(ofTree: directory, known: nil).isEmpty)
  }

  @Test func `tells what is missing of a tree`() throws {
    let test = try TestRepository()
    let objects = try test.open().objects
    let absent = try ObjectDatabase.hash(.blob, [1])
    let absentTree = try ObjectDatabase.hash(.tree, [2])
    let blob = try objects.write(.blob, [])
    let submodule = [UInt8](repeating: 7, count: 20)
    let tree = try objects.write(
      .tree,
      Array("100644 a\0".utf8) + absent.bytes + Array("40000 b\0".utf8) + absentTree.bytes
        + Array("100644 c\0".utf8) + blob.bytes + Array("160000 d\0".utf8) + submodule)
    #expect(try objects.missingObjects(ofTree: tree, known: nil) == [absent, absentTree])
    #expect(try objects.missingObjects(ofTree: tree, known: tree) == [])
    #expect(try objects.missingObjects(ofTree: absentTree, known: nil) == [absentTree])
    let wrong = try objects.write(.tree, Array("40000 x\0".utf8) + blob.bytes)
    #expect(throws: GitError.objectKindWrong(blob, expected: .tree, actual: .blob)) {
      try objects.missingObjects(ofTree: wrong, known: nil)
    }
  }
}
