import GitModel

/// What a walk reports: each place in which two trees differ, a directory before what it holds.
protocol TreeWalkVisitor {
  /// A directory on one or both sides; `false` passes over all that it holds.
  mutating func directory(
    _ path: [UInt8], old: ObjectID?, new: ObjectID?
  ) throws(GitError) -> Bool
  /// The two sides differ, and at least one is there.
  mutating func entry(_ path: [UInt8], old: TreeEntry?, new: TreeEntry?) throws(GitError)
}

/// Two trees, walked side by side in the order of their paths; equal subtrees are never read.
///
/// A tree that lies at many places is walked at each: a visitor passes over what it knows, or the trees
/// have been counted before.
struct TreeWalk<Visitor: TreeWalkVisitor> {
  let database: ObjectDatabase
  let limits: TreeLimits
  var visitor: Visitor
  private var path: [UInt8] = []
  private var depth = 0

  init(_ database: ObjectDatabase, _ limits: TreeLimits, _ visitor: Visitor) {
    self.database = database
    self.limits = limits
    self.visitor = visitor
  }

  mutating func run(from old: ObjectID?, to new: ObjectID?) throws(GitError) {
    guard old != new else { return }
    try descend(old, new)
  }

  private mutating func descend(_ old: ObjectID?, _ new: ObjectID?) throws(GitError) {
    guard try visitor.directory(path, old: old, new: new) else { return }
    guard depth <= limits.depthMax, path.count <= TreePath.byteCountMax else {
      throw .treeTooDeep(path: path, depthMax: limits.depthMax)
    }
    depth += 1
    var merge = TreeMerge(
      try database.tree(old, at: path, limits.ofOldSide), try database.tree(new, at: path, limits))
    while let place = merge.next() { try visit(place, of: merge) }
    depth -= 1
  }

  private mutating func visit(_ place: TreeMerge.Place, of merge: TreeMerge) throws(GitError) {
    let parentByteCount = path.count
    if !path.isEmpty { path.append(UInt8(ascii: "/")) }
    path += merge.name(of: place)
    defer { path.removeLast(path.count - parentByteCount) }
    if place.isDirectory {
      try descend(merge.oldID(of: place), merge.newID(of: place))
    } else {
      try visitor.entry(
        path, old: merge.oldEntry(of: place), new: merge.newEntry(of: place))
    }
  }
}

extension ObjectDatabase {
  /// One directory of a walk, that of no file for `nil`; what is wrong with it is said with its path.
  func tree(
    _ id: ObjectID?, at path: [UInt8], _ limits: TreeLimits
  ) throws(GitError) -> Tree {
    guard let id else { return .empty }
    let bytes = try read(id, .tree, byteCountMax: limits.treeByteCountMax)
    do throws(GitError) {
      return try Tree(bytes: bytes)
    } catch {
      guard case .malformedTree(let reason, _) = error else { throw error }
      throw .malformedTree(reason: reason, path: path)
    }
  }
}
