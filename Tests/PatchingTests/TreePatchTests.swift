import Git
import GitModel
import PatchText
import Patching
import TestSupport
import Testing

/// What making and applying refuse. The trees are written by hand, so that they can be wrong too.
struct TreePatchTests {
  private let cases: CaseRepository
  private let repository: Repository
  private var objects: ObjectDatabase { repository.objects }

  init() throws {
    cases = try CaseRepository([])
    repository = try Repository(opening: cases.path)
  }

  private func blob(_ text: String) throws -> TreeEntry {
    TreeEntry(mode: .regular, id: try objects.write(.blob, Array(text.utf8)))
  }

  /// A tree of files, directories from the slashes in their names.
  private func tree(_ files: [String: String]) throws -> ObjectID {
    var edits: [TreeEdit] = []
    let groups = Dictionary(grouping: files.keys) { $0.split(separator: "/")[0] }
    for (name, paths) in groups {
      let isFile = paths == [String(name)]
      let target: TreeEdit.Target =
        isFile
        ? .entry(try blob(files[String(name), default: ""]))
        : .directory(
          try tree(
            Dictionary(
              uniqueKeysWithValues: paths.map {
                (String($0.dropFirst(name.count + 1)), files[$0, default: ""])
              })))
      edits.append(TreeEdit(name: Array(name.utf8)[...], target: target))
    }
    return try objects.write(.tree, Tree.empty.edited(edits))
  }

  private func patch(_ old: ObjectID?, _ new: ObjectID) throws -> TextPatch {
    let outcome = try TreePatch.make(from: old, to: new, in: objects, limits: .usual)
    guard case .made(let text) = outcome else {
      Issue.record("\(outcome)")
      return try TextPatch([])
    }
    return try TreePatch.parse(text, limits: .usual)
  }

  private func apply(_ patch: TextPatch, to base: ObjectID?) throws -> ObjectID {
    var overlay = ObjectOverlay(over: objects)
    return try TreePatch.apply(patch, to: base, in: &overlay, limits: .usual)
  }

  private func addition(_ path: String, _ text: String) throws -> FileSection {
    let body = try Difference.hunks(old: [], new: Array(text.utf8))
    let id = try ObjectDatabase.hash(.blob, Array(text.utf8))
    return try FileSection(
      path: TreePath(path), old: nil, new: TreeEntry(mode: .regular, id: id),
      content: .text(Hunk.hunks(fromBody: body)))
  }

  @Test func `new objects are in memory until flushed`() throws {
    let old = try tree(["a/b": "1\n", "c": "2\n"])
    var overlay = ObjectOverlay(over: objects)
    let root = try TreePatch.apply(
      TextPatch([addition("a/n/m", "new\n")]), to: old, in: &overlay, limits: .usual)
    #expect(overlay.newObjects.map(\.kind) == [.blob, .tree, .tree, .tree])
    #expect(overlay.newObjects.last?.id == root)
    for object in overlay.newObjects {
      #expect(!objects.contains(object.id))
      #expect(overlay.contains(object.id))
    }
    _ = try overlay.pack(for: repository)?.keep(.umask)
    #expect(root == (try tree(["a/b": "1\n", "c": "2\n", "a/n/m": "new\n"])))
    try cases.run(["git", "-C", cases.path, "fsck", "--strict"])
  }

  @Test func `texts of too many lines are compared byte by byte`() throws {
    var generator = SeededGenerator(seed: 5)
    func letters(_ count: Int) -> String {
      String(
        decoding: (0..<count).flatMap { _ in [UInt8.random(in: 97...122, using: &generator), 10] },
        as: UTF8.self)
    }
    let (small, large) = (99_000, 4_000_000)
    let old = try tree(["small": letters(small), "large": letters(large)])
    for (name, isText) in [("small", true), ("large", false)] {
      let duration = try ContinuousClock().measure {
        let new = try tree(["small": letters(small), "large": letters(large)])
        let path = try TreePath(name)
        let from = try #require(try objects.entry(at: path, inTree: old))
        let to = try #require(try objects.entry(at: path, inTree: new))
        let edit = { (entry: TreeEntry) in
          try objects.write(
            .tree, Tree.empty.edited([TreeEdit(name: Array("f".utf8)[...], target: .entry(entry))]))
        }
        let outcome = try TreePatch.make(
          from: edit(from), to: edit(to), in: objects, limits: .carried)
        switch outcome {
        case .made(let text): #expect(isText == text.contains(Array("\n@@ ".utf8)))
        case .unsuited(let obstacle):
          #expect(obstacle == .tooMuchBinary(byteCountMax: 1 << 20))
          #expect(!isText)
        }
      }
      #expect(duration < .seconds(60), "\(name)")
    }
  }

  @Test func `a change of few lines in a long text is compared as text`() throws {
    let lines = (0..<400_000).map { "\($0 % 7)\n" }
    var changed = lines
    changed[200_000] = "x\n"
    let patch = try patch(tree(["f": lines.joined()]), tree(["f": changed.joined()]))
    guard case .text = patch.sections[0].content else {
      Issue.record("\(patch.sections[0].content)")
      return
    }
  }

  @Test func `more paths than allowed are refused, whatever becomes of each`() throws {
    let limits = PatchingLimits(patchByteCountMax: 1 << 20, pathCountMax: 2, fileByteCountMax: 100)
    let sections = { (count: Int) in try (0..<count).map { try addition("f\($0)", "1\n") } }
    let parse = { (count: Int) in
      try TreePatch.parse(TextPatch(sections(count)).printed(), limits: limits).sections.count
    }
    #expect(try parse(2) == 2)
    #expect(throws: PatchTextError.overLimit(.paths, limit: 2, actual: 3)) { try parse(3) }
  }

  @Test func `many new objects become one pack`() throws {
    let files = (0..<30).map { ("d\($0)/f", "content \($0)\n") }
    var overlay = ObjectOverlay(over: objects)
    let sections = try files.map { try addition($0.0, $0.1) }
    let root = try TreePatch.apply(TextPatch(sections), to: nil, in: &overlay, limits: .usual)
    _ = try overlay.pack(for: repository)?.keep(.umask)
    let list = try cases.run(["git", "-C", cases.path, "count-objects", "-v"])
    #expect(list.contains("count: 0\n"))
    #expect(list.contains("packs: 1\n"))
    #expect(try objects.missingObjects(ofTree: root, known: nil).isEmpty)
    #expect(root == (try tree(Dictionary(uniqueKeysWithValues: files))))
  }

  @Test func `nothing else is read than what changes`() throws {
    // The base tree's other directory and file are nowhere.
    let absent = try ObjectDatabase.hash(.blob, Array("absent".utf8))
    let bytes = Tree.empty.edited([
      TreeEdit(name: Array("a".utf8)[...], target: .directory(absent)),
      TreeEdit(
        name: Array("b".utf8)[...], target: .entry(TreeEntry(mode: .regular, id: absent))),
      TreeEdit(name: Array("c".utf8)[...], target: .entry(try blob("old\n"))),
    ])
    let old = try objects.write(.tree, bytes)
    let inner = try patch(tree(["c": "old\n"]), tree(["c": "new\n"]))
    let root = try apply(inner, to: old)
    #expect(root != old)
  }

  @Test func `refuses patch made from another tree`() throws {
    let old = try tree(["a": "1\n"])
    let made = try patch(old, try tree(["a": "2\n"]))
    let (found, expected) = (try blob("0\n"), try blob("1\n"))
    #expect(
      throws: PatchingError.baseDiffers(
        path: try TreePath("a"), expected: expected, actual: found)
    ) { try apply(made, to: tree(["a": "0\n"])) }
    #expect(
      throws: PatchingError.baseDiffers(path: try TreePath("a"), expected: expected, actual: nil)
    ) { try apply(made, to: tree(["b": "1\n"])) }
    #expect(
      throws: PatchingError.baseDiffers(path: try TreePath("a"), expected: expected, actual: nil)
    ) { try apply(made, to: tree(["a/b": "1\n"])) }
    #expect(
      throws: PatchingError.baseDiffers(path: try TreePath("a"), expected: nil, actual: expected)
    ) { try apply(TextPatch([addition("a", "x\n")]), to: old) }
  }

  @Test func `refuses file and directory of one path`() throws {
    #expect(throws: PatchingError.blocked(path: try TreePath("a/b"))) {
      try apply(TextPatch([addition("a/b", "x\n")]), to: tree(["a": "1\n"]))
    }
    #expect(throws: PatchingError.blocked(path: try TreePath("a"))) {
      try apply(TextPatch([addition("a", "x\n")]), to: tree(["a/b": "1\n"]))
    }
    let emptying = try patch(tree(["a/b": "1\n"]), tree(["a": "x\n"]))
    #expect(throws: PatchingError.blocked(path: try TreePath("a"))) {
      try apply(emptying, to: tree(["a/b": "1\n", "a/c": "2\n"]))
    }
  }

  @Test func `refuses content of another name`() throws {
    let body = try Difference.hunks(old: [], new: Array("x\n".utf8))
    let (wrong, right) = (try blob("y\n"), try ObjectDatabase.hash(.blob, Array("x\n".utf8)))
    let section = try FileSection(
      path: TreePath("a"), old: nil, new: wrong, content: .text(Hunk.hunks(fromBody: body)))
    #expect(
      throws: PatchingError.contentDiffers(
        path: try TreePath("a"), expected: wrong.id, actual: right)
    ) { try apply(TextPatch([section]), to: nil) }
  }

  @Test func `refuses deletion of other content`() throws {
    let old = try tree(["a": "1\n2\n"])
    let body = try Difference.hunks(old: Array("1\n".utf8), new: [])
    let section = try FileSection(
      path: TreePath("a"), old: blob("1\n2\n"), new: nil,
      content: .text(Hunk.hunks(fromBody: body)))
    #expect(
      throws: PatchingError.text(.doesNotApply(path: try TreePath("a"), .fileGoesOn))
    ) { try apply(TextPatch([section]), to: old) }
  }

  @Test func `refuses missing base`() throws {
    let absent = try ObjectDatabase.hash(.tree, [1])
    #expect(throws: PatchingError.git(.objectMissing(absent))) {
      try apply(TextPatch([addition("a", "x\n")]), to: absent)
    }
  }

  @Test func `refuses more than it may make`() throws {
    let deep = String(repeating: "d/", count: 12) + "f"
    let section = try addition(deep, "x\n")
    let limits = PatchingLimits(
      patchByteCountMax: 1 << 20, pathCountMax: 10, fileByteCountMax: 1 << 20,
      contentByteCountMax: 1, depthMax: 12)
    var overlay = ObjectOverlay(over: objects)
    #expect(throws: PatchingError.tooDeep(path: try TreePath(deep), depthMax: 12)) {
      try TreePatch.apply(TextPatch([section]), to: nil, in: &overlay, limits: limits)
    }
    #expect(throws: PatchingError.tooMuchContent(byteCountMax: 1)) {
      try TreePatch.apply(
        TextPatch([addition("f", "x\n")]), to: nil, in: &overlay, limits: limits)
    }
  }

  @Test func `says why difference is no patch`() throws {
    let old = try tree(["a": "1\n"])
    let noise = PatchCases.randomBytes(4_000, seed: 1)
    let entry = TreeEntry(mode: .regular, id: try objects.write(.blob, noise))
    let binary = try objects.write(
      .tree, Tree.empty.edited([TreeEdit(name: Array("a".utf8)[...], target: .entry(entry))]))
    let text = try tree(["a": String(repeating: "line\n", count: 2_000)])
    let many = try tree(["a": "1\n", "b": "1\n", "c/d": "1\n"])
    let path = try TreePath("a")
    let expectations: [(ObjectID, PatchObstacle, PatchingLimits)] = [
      (many, .tooManyPaths(countMax: 1), limits(pathCountMax: 1)),
      (text, .patchTooLarge(byteCountMax: 5_000), limits(patchByteCountMax: 5_000)),
      (binary, .tooMuchBinary(byteCountMax: 3_000), limits(binaryByteCountMax: 3_000)),
      (
        text, .fileTooLarge(path: path, byteCount: 10_000, byteCountMax: 9_999),
        limits(fileByteCountMax: 9_999)
      ),
      (text, .tooMuchContent(byteCountMax: 10_001), limits(contentByteCountMax: 10_001)),
    ]
    for (new, obstacle, limits) in expectations {
      #expect(
        try TreePatch.make(from: old, to: new, in: objects, limits: limits)
          == .unsuited(obstacle))
      guard case .made = try TreePatch.make(from: old, to: new, in: objects, limits: .usual) else {
        Issue.record("\(obstacle)")
        continue
      }
    }
  }

  @Test func `says which object is missing`() throws {
    let absent = try ObjectDatabase.hash(.blob, Array("absent".utf8))
    let entry = TreeEntry(mode: .regular, id: absent)
    let new = try objects.write(
      .tree, Tree.empty.edited([TreeEdit(name: Array("a".utf8)[...], target: .entry(entry))]))
    #expect(
      try TreePatch.make(from: nil, to: new, in: objects, limits: .usual)
        == .unsuited(.objectMissing(absent)))
  }

  @Test func `tree that only pack can say fails its proof`() throws {
    // Mode 100664 reads as 100644, so no patch tells it.
    let bytes = Array("100664 a\0".utf8) + (try blob("1\n")).id.bytes
    let new = try objects.write(.tree, bytes)
    let outcome = try TreePatch.make(from: nil, to: new, in: objects, limits: .usual)
    guard case .unsuited(.failsProof) = outcome else {
      Issue.record("\(outcome)")
      return
    }
  }

  private func limits(
    patchByteCountMax: Int = 1 << 20, pathCountMax: Int = 10, binaryByteCountMax: Int = 1 << 20,
    fileByteCountMax: Int = 1 << 20, contentByteCountMax: Int = 1 << 20
  ) -> PatchingLimits {
    PatchingLimits(
      patchByteCountMax: patchByteCountMax, pathCountMax: pathCountMax,
      binaryByteCountMax: binaryByteCountMax, fileByteCountMax: fileByteCountMax,
      contentByteCountMax: contentByteCountMax)
  }
}
