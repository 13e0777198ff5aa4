package import GitModel

extension ObjectDatabase {
  /// Every tree and blob that `new` needs and that one who has all of `old` may lack; trees first,
  /// each once.
  ///
  /// What was only moved is left out where both places differ between the trees.
  package func objects(
    of new: ObjectID, notIn old: ObjectID?, limits: TreeLimits = TreeLimits()
  ) throws(GitError) -> [ObjectReference] {
    var seen: Set<ObjectID> = []
    return try objects(of: new, notIn: old, seen: &seen, limits: limits)
  }

  /// The same for every commit of a history, the commits included; the order is that of `commits`,
  /// oldest first.
  ///
  /// Only `base` and what was listed before count as being there: the other side may lack the rest
  /// of `base`'s history.
  package func objects(
    ofCommits commits: [ObjectID], notIn base: ObjectID?, limits: TreeLimits = TreeLimits()
  ) throws(GitError) -> [ObjectReference] {
    var result: [ObjectReference] = []
    var seen: Set<ObjectID> = []
    let baseTree = try base.map { id throws(GitError) in try commit(id).tree }
    var treesSent: [ObjectID: ObjectID] = [:]
    for id in commits {
      let commit = try commit(id)
      let known = commit.parents.lazy.compactMap { treesSent[$0] }.first ?? baseTree
      result.append(ObjectReference(id: id, kind: .commit))
      result += try objects(of: commit.tree, notIn: known, seen: &seen, limits: limits)
      treesSent[id] = commit.tree
    }
    return result
  }

  private func objects(
    of new: ObjectID, notIn old: ObjectID?, seen: inout Set<ObjectID>, limits: TreeLimits
  ) throws(GitError) -> [ObjectReference] {
    var walk = TreeWalk(self, limits, ObjectCollector())
    try walk.run(from: old, to: new)
    let found = walk.visitor
    let kinds = [(found.trees, ObjectKind.tree), (found.blobs, .blob)]
    var result: [ObjectReference] = []
    for (ids, kind) in kinds {
      for id in ids where !found.gone.contains(id) && seen.insert(id).inserted {
        result.append(ObjectReference(id: id, kind: kind))
      }
    }
    return result
  }
}

private struct ObjectCollector: TreeWalkVisitor {
  var trees: [ObjectID] = []
  var blobs: [ObjectID] = []
  /// What the old side has at the places that differ.
  var gone: Set<ObjectID> = []

  mutating func directory(_: [UInt8], old: ObjectID?, new: ObjectID?) -> Bool {
    if let old { gone.insert(old) }
    if let new { trees.append(new) }
    return true
  }

  mutating func entry(_: [UInt8], old: TreeEntry?, new: TreeEntry?) {
    if let old, old.mode != .submodule { gone.insert(old.id) }
    if let new, new.mode != .submodule { blobs.append(new.id) }
  }
}

extension ObjectDatabase {
  /// The objects below `tree` that are not there; those of `known`, of which everything is, are not
  /// looked at.
  ///
  /// An empty answer says that the tree can be checked out: every directory parses, every file is
  /// there, is a blob within the limit, and lies at a safe path. At most `TreeLimits.visitCountMax`
  /// are visited.
  /// - Throws: `malformedTree`, `unsafePath`, `objectKindWrong`, `objectTooLarge`,
  ///   `tooManyChanges`, `treeTooDeep`.
  package func missingObjects(
    ofTree tree: ObjectID, known: ObjectID?, limits: TreeLimits = TreeLimits()
  ) throws(GitError) -> [ObjectID] {
    let check = CompletenessCheck(database: self, byteCountMax: limits.objectByteCountMax)
    var walk = TreeWalk(self, limits, check)
    try walk.run(from: known, to: tree)
    return walk.visitor.missing
  }
}

private struct CompletenessCheck: TreeWalkVisitor {
  let database: ObjectDatabase
  let byteCountMax: Int
  var missing: [ObjectID] = []
  private var visited: Set<ObjectID> = []

  init(database: ObjectDatabase, byteCountMax: Int) {
    self.database = database
    self.byteCountMax = byteCountMax
  }

  mutating func directory(
    _: [UInt8], old: ObjectID?, new: ObjectID?
  ) throws(GitError) -> Bool {
    // What is deleted needs nothing, and a directory met before was looked at there.
    guard let new, visited.insert(new).inserted else { return false }
    return try has(new, .tree)
  }

  mutating func entry(_ path: [UInt8], old: TreeEntry?, new: TreeEntry?) throws(GitError) {
    guard let new else { return }
    do throws(UnsafePath) {
      _ = try TreePath(path)
    } catch {
      throw .unsafePath(error)
    }
    if new.mode != .submodule { _ = try has(new.id, .blob) }
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
