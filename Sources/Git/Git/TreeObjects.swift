package import GitModel

extension ObjectDatabase {
  /// Every tree and blob that `new` needs and that a repository with all of `old` may lack; trees first,
  /// each once, and looked at once.
  ///
  /// What was only moved is left out where both places differ between the trees.
  package func objects(
    of new: ObjectID, notIn old: ObjectID?, limits: TreeLimits = .counted
  ) throws(GitError) -> [ObjectReference] {
    var collector = ObjectCollector()
    return try objects(of: new, notIn: old, &collector, limits: limits)
  }

  /// The same for every commit of a history, the commits included; the order is that of `commits`,
  /// oldest first.
  ///
  /// Only `base` and what was listed before count as being there: the other side may lack the rest
  /// of `base`'s history.
  package func objects(
    ofCommits commits: [ObjectID], notIn base: ObjectID?, limits: TreeLimits = .counted
  ) throws(GitError) -> [ObjectReference] {
    var result: [ObjectReference] = []
    var collector = ObjectCollector()
    let baseTree = try base.map { id throws(GitError) in try commit(id).tree }
    var treesSent: [ObjectID: ObjectID] = [:]
    for id in commits {
      let commit = try commit(id)
      let known = commit.parents.lazy.compactMap { treesSent[$0] }.first ?? baseTree
      result.append(ObjectReference(id: id, kind: .commit))
      do throws(GitError) {
        result += try objects(of: commit.tree, notIn: known, &collector, limits: limits)
      } catch {
        throw .inCommit(id, error)
      }
      treesSent[id] = commit.tree
    }
    return result
  }

  private func objects(
    of new: ObjectID, notIn old: ObjectID?, _ collector: inout ObjectCollector, limits: TreeLimits
  ) throws(GitError) -> [ObjectReference] {
    var walk = TreeWalk(self, limits, collector)
    try walk.run(from: old, to: new)
    collector = walk.visitor
    return collector.take()
  }
}

private struct ObjectCollector: TreeWalkVisitor {
  private var trees: [ObjectID] = []
  private var blobs: [ObjectID] = []
  /// What the old side has at the places that differ.
  private var gone: Set<ObjectID> = []
  /// Trees of the new side, in all walks: wherever they lie again, the other side gets or has all of them.
  private var visited: Set<ObjectID> = []
  private var taken: Set<ObjectID> = []

  mutating func directory(_: [UInt8], old: ObjectID?, new: ObjectID?) -> Bool {
    let isGoneAlready = old.map { !gone.insert($0).inserted } ?? true
    guard let new else { return !isGoneAlready }
    guard visited.insert(new).inserted else { return false }
    trees.append(new)
    return true
  }

  mutating func entry(_: [UInt8], old: TreeEntry?, new: TreeEntry?) {
    if let old, old.mode != .submodule { gone.insert(old.id) }
    if let new, new.mode != .submodule { blobs.append(new.id) }
  }

  /// What the last walk has found that no walk before has.
  mutating func take() -> [ObjectReference] {
    var result: [ObjectReference] = []
    for (ids, kind) in [(trees, ObjectKind.tree), (blobs, .blob)] {
      for id in ids where !gone.contains(id) && taken.insert(id).inserted {
        result.append(ObjectReference(id: id, kind: kind))
      }
    }
    (trees, blobs, gone) = ([], [], [])
    return result
  }
}
