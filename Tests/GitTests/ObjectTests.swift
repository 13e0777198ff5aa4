import Foundation
import Git
import GitModel
import TestSupport
import Testing

struct ObjectTests {
  @Test func `hashes writes and reads as git does`() throws {
    let test = try TestRepository()
    let objects = try test.open().objects
    var generator = SeededGenerator(seed: 1)
    for count in [0, 1, 55, 56, 63, 64, 65, 119, 120, 1_000, 200_000] {
      let bytes = generator.bytes(count)
      let expected = try test.text(["hash-object", "--stdin"], input: bytes)
      #expect(try ObjectDatabase.hash(.blob, bytes).hex == expected)
      let id = try objects.write(.blob, bytes)
      #expect(id.hex == expected)
      #expect(try test.git(["cat-file", "blob", expected]) == bytes)
      #expect(try objects.read(id, .blob) == bytes)
      #expect(try objects.header(id) == ObjectHeader(kind: .blob, byteCount: count))
      var hasher = ObjectHasher(.blob, byteCount: count)
      var rest = bytes[...]
      while !rest.isEmpty {
        let piece = rest.prefix(Int.random(in: 1...150, using: &generator))
        hasher.update(Array(piece))
        rest = rest.dropFirst(piece.count)
      }
      #expect(hasher.finish() == id)
    }
  }

  @Test func `tells file that changed while hashed`() {
    var hasher = ObjectHasher(.blob, byteCount: 2)
    hasher.update([1])
    #expect(hasher.finish() == nil)
  }

  @Test func `refuses what is missing or of another kind or too large`() throws {
    let test = try TestRepository()
    let objects = try test.open().objects
    let absent = try ObjectDatabase.hash(.blob, [1])
    let blob = try objects.write(.blob, [1, 2, 3])
    #expect(!objects.contains(absent))
    #expect(objects.contains(blob))
    #expect(throws: GitError.objectMissing(absent)) { try objects.read(absent, .blob) }
    #expect(throws: GitError.objectKindWrong(blob, expected: .tree, actual: .blob)) {
      try objects.tree(blob)
    }
    #expect(throws: GitError.objectTooLarge(blob, byteCount: 3, byteCountMax: 2)) {
      try objects.read(blob, .blob, byteCountMax: 2)
    }
  }

  @Test func `empty tree needs no file`() throws {
    let test = try TestRepository()
    let objects = try test.open().objects
    let empty = try ObjectDatabase.hash(.tree, [])
    #expect(empty == ObjectDatabase.emptyTree)
    #expect(objects.contains(empty))
    #expect(try objects.read(empty, .tree) == [])
    #expect(try objects.changes(from: empty, to: empty).isEmpty)
    #expect(try objects.missingObjects(ofTree: empty, known: nil).isEmpty)
    #expect(try test.files(below: ".git/objects").isEmpty)
  }

  @Test func `refuses object that was damaged on disk`() throws {
    let test = try TestRepository()
    let objects = try test.open().objects
    let blob = try objects.write(.blob, [1, 2, 3])
    let other = try objects.write(.blob, [4, 5, 6])
    let file = { (id: ObjectID) in
      test.path + "/.git/objects/" + id.hex.prefix(2) + "/" + id.hex.dropFirst(2)
    }
    try FileManager.default.removeItem(atPath: file(blob))
    try FileManager.default.moveItem(atPath: file(other), toPath: file(blob))
    let fresh = try test.open().objects
    #expect(throws: GitError.self) { try fresh.read(blob, .blob) }
  }

  @Test func `reads commits as git does`() throws {
    let test = try TestRepository()
    try test.commit(["a": "1\n"], "first\n\nbody")
    try test.git(["checkout", "-q", "-b", "side"])
    try test.commit(["b": "1\n"])
    try test.git(["checkout", "-q", "main"])
    try test.commit(["c": "1\n"])
    try test.git(["merge", "-q", "--no-ff", "-m", "merge both", "side"])
    let objects = try test.open().objects
    let merge = try objects.commit(test.id("HEAD"))
    #expect(merge.tree == (try test.id("HEAD^{tree}")))
    #expect(merge.parents == [try test.id("HEAD^1"), try test.id("HEAD^2")])
    #expect(merge.bytes == (try test.git(["cat-file", "commit", "HEAD"])))
    #expect(merge.subject == "merge both")
    let first = try objects.commit(test.id("HEAD~2"))
    #expect(first.parents.isEmpty)
    #expect(first.subject == "first")
    #expect(try Commit(bytes: first.bytes).id == first.id)
  }

  private static let ones = String(repeating: "1", count: 40)

  @Test(arguments: [
    "", "tree", "tree 123\n", "parent \(ones)\n", "tree \(ones)\n", "tree \(ones) \nauthor a\n",
    "tree \(ones)\nparent 2\nauthor a\ncommitter c\n\nm", "tree \(ones)\nparent \(ones)",
  ])
  func `refuses malformed commit`(text: String) {
    let error = #expect(throws: GitError.self) { try Commit(bytes: Array(text.utf8)) }
    guard case .malformedCommit = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test(arguments: OddCommits.all)
  func `a commit is read as git reads it`(commit: OddCommit) throws {
    let test = try TestRepository()
    try test.commit(["a": "1\n"])
    let bytes = try commit.bytes(tree: test.id("HEAD^{tree}"), parent: test.id("HEAD"))
    let written = try test.text(
      ["hash-object", "-w", "--literally", "-t", "commit", "--stdin"], input: bytes)
    let id = try #require(ObjectID(hex: written))
    let read = try test.open().objects.commit(id)
    #expect(read.id == id)
    #expect(read.tree == (try test.id("\(id)^{tree}")))
    let parents = try test.text(["rev-parse", "\(id)^@"]).split(separator: "\n")
    #expect(read.parents.map(\.hex) == parents.map(String.init))
  }
}
