package import GitModel

extension ObjectDatabase {
  /// Of one tree; see `TreeCompleteness`.
  package func missingObjects(
    ofTree tree: ObjectID, known: ObjectID?
  ) throws(GitError) -> [ObjectID] {
    var completeness = TreeCompleteness(in: self)
    return try completeness.missingObjects(ofTree: tree, known: known)
  }
}

/// Whether all is there that trees need to be checked out; each tree and each file is looked at once,
/// however many trees are asked for.
package struct TreeCompleteness {
  private let database: ObjectDatabase
  private let limits: TreeLimits
  private var check: CompletenessCheck

  package init(in database: ObjectDatabase, limits: TreeLimits = .counted) {
    self.database = database
    self.limits = limits
    check = CompletenessCheck(database: database, byteCountMax: limits.objectByteCountMax)
  }

  /// How many of the objects that were looked at are in a pack.
  package func visitedCount(in pack: PackIndex) -> Int {
    check.trees.count { pack.contains($0) }
      + check.blobs.count { pack.contains($0) && !check.trees.contains($0) }
  }

  /// The objects below `tree` that are not there; those of `known`, of which everything is, are not
  /// looked at.
  ///
  /// An empty answer says that the tree can be checked out: every directory parses, every file is
  /// there, is a blob within the limit, and has a safe name.
  /// - Throws: `malformedTree`, `unsafePath`, `objectKindWrong`, `objectTooLarge`, `treeTooDeep`.
  package mutating func missingObjects(
    ofTree tree: ObjectID, known: ObjectID?
  ) throws(GitError) -> [ObjectID] {
    var walk = TreeWalk(database, limits, check)
    try walk.run(from: known, to: tree)
    check = walk.visitor
    defer { check.missing = [] }
    return check.missing
  }
}

private struct CompletenessCheck: TreeWalkVisitor {
  let database: ObjectDatabase
  let byteCountMax: Int
  var missing: [ObjectID] = []
  // Apart, so that no object is taken for both.
  private(set) var trees: Set<ObjectID> = []
  private(set) var blobs: Set<ObjectID> = []

  init(database: ObjectDatabase, byteCountMax: Int) {
    self.database = database
    self.byteCountMax = byteCountMax
  }

  mutating func directory(
    _: [UInt8], old: ObjectID?, new: ObjectID?
  ) throws(GitError) -> Bool {
    // What is deleted needs nothing, and a directory met before was looked at there.
    guard let new, trees.insert(new).inserted else { return false }
    return try has(new, .tree)
  }

  mutating func entry(_ path: [UInt8], old: TreeEntry?, new: TreeEntry?) throws(GitError) {
    guard let new else { return }
    do throws(UnsafePath) {
      _ = try TreePath(path)
    } catch {
      throw .unsafePath(error)
    }
    guard new.mode != .submodule, blobs.insert(new.id).inserted else { return }
    _ = try has(new.id, .blob)
  }

  private mutating func has(_ id: ObjectID, _ kind: ObjectKind) throws(GitError) -> Bool {
    guard database.contains(id) else {
      missing.append(id)
      return false
    }
    let header = try database.header(id)
    guard header.kind == kind else {
      throw .objectKindWrong(id, expected: kind, actual: header.kind)
    }
    guard header.byteCount <= byteCountMax else {
      throw .objectTooLarge(id, byteCount: header.byteCount, byteCountMax: byteCountMax)
    }
    return true
  }
}
