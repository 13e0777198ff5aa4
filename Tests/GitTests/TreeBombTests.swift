import Git
import GitModel
import TestSupport
import Testing

struct TreeBombTests {
  private static func bomb(_ kind: TreeBomb.Kind, in objects: ObjectDatabase) throws -> ObjectID {
    try TreeBomb.make(kind) { isTree, bytes in
      let id = try objects.write(isTree ? .tree : .blob, bytes)
      return (id, id.bytes)
    }
  }

  @Test(arguments: TreeBomb.Kind.allCases)
  func `a tree that is over a limit is refused before it is walked`(kind: TreeBomb.Kind) throws {
    let test = try TestRepository()
    let objects = try test.open().objects
    let small = try test.commit(["a": "1\n"])
    let root = try Self.bomb(kind, in: objects)
    let duration = try ContinuousClock().measure {
      for old in [nil, try objects.commit(small).tree] {
        let error = #expect(throws: GitError.self) {
          try objects.changes(from: old, to: root, limits: TreeLimits())
        }
        guard case .treeOverLimit(let excess) = error else {
          Issue.record("\(String(describing: error))")
          return
        }
        #expect((excess.quantity == .bytes) == (kind == .oneBlobAtManyPaths), "\(excess)")
        #expect(!excess.isOfOldSide)
      }
      // Each object once, however many paths it has.
      #expect(try objects.missingObjects(ofTree: root, known: nil).isEmpty)
      #expect(try objects.objects(of: root, notIn: nil).count <= 503)
    }
    #expect(duration < .seconds(5))
  }

  @Test func `what is counted is what is walked`() throws {
    let test = try TestRepository()
    try test.commit(["a": "12\n", "b/c": "3\n", "b/d/e": "", "f/g/h": "1234567890"])
    let old = try test.id("HEAD^{tree}")
    try test.commit(["a": "1\n", "b/d/e": "5", "b/d/x": "12\n", "f2/g/h": "1234567890"])
    let new = try test.id("HEAD^{tree}")
    let objects = try test.open().objects
    for (from, to) in [(old, new), (new, old), (nil, new), (nil, old)] as [(ObjectID?, ObjectID)] {
      let (changes, difference) = try objects.countedChanges(
        from: from, to: to, limits: TreeLimits())
      for (entries, totals) in [
        (changes.filter { $0.old != nil }.map { ($0.path, $0.old) }, difference.old),
        (changes.filter { $0.new != nil }.map { ($0.path, $0.new) }, difference.new),
      ] {
        #expect(totals.pathCount == entries.count)
        #expect(totals.pathByteCount == entries.reduce(0) { $0 + $1.0.bytes.count })
        let byteCount = try entries.reduce(0) {
          $0 + (try objects.header($1.1?.id ?? .zero).byteCount)
        }
        #expect(totals.byteCount == byteCount)
      }
    }
    #expect(try objects.totals(of: new, limits: TreeLimits()).directoryCount == 6)
  }

  @Test func `each limit is reached and not passed`() throws {
    let test = try TestRepository()
    try test.commit(["a": "12\n", "b/c": "3\n"])
    let tree = try test.id("HEAD^{tree}")
    let objects = try test.open().objects
    let fitting = TreeLimits(pathCountMax: 2, pathByteCountMax: 4, byteCountMax: 5)
    #expect(try objects.changes(from: nil, to: tree, limits: fitting).count == 2)
    for (limits, quantity, limit) in [
      (TreeLimits(pathCountMax: 1), TreeExcess.Quantity.paths, 1),
      (TreeLimits(pathByteCountMax: 3), .pathBytes, 3), (TreeLimits(byteCountMax: 4), .bytes, 4),
    ] {
      #expect(throws: GitError.treeOverLimit(TreeExcess(quantity, limit: limit))) {
        try objects.changes(from: nil, to: tree, limits: limits)
      }
    }
  }
}
