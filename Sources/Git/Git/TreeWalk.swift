import GitModel

/// Bounds on a walk through trees that someone else made.
package struct TreeLimits: Sendable {
  /// Files and directories that differ, counted on both sides.
  package let visitCountMax: Int
  package let depthMax: Int
  /// What one tree or blob may have.
  package let objectByteCountMax: Int

  package init(
    visitCountMax: Int = 10_000_000, depthMax: Int = 512,
    objectByteCountMax: Int = ObjectDatabase.byteCountMax
  ) {
    self.visitCountMax = visitCountMax
    self.depthMax = depthMax
    self.objectByteCountMax = objectByteCountMax
  }
}

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
struct TreeWalk<Visitor: TreeWalkVisitor> {
  let database: ObjectDatabase
  let limits: TreeLimits
  var visitor: Visitor
  private var path: [UInt8] = []
  private var depth = 0
  private var visitCount = 0

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
    try count()
    guard try visitor.directory(path, old: old, new: new) else { return }
    guard depth <= limits.depthMax, path.count <= TreePath.byteCountMax else {
      throw .treeTooDeep(path: path, depthMax: limits.depthMax)
    }
    depth += 1
    try merge(try tree(old), try tree(new))
    depth -= 1
  }

  private func tree(_ id: ObjectID?) throws(GitError) -> Tree {
    guard let id else { return .empty }
    return try Tree(bytes: database.read(id, .tree, byteCountMax: limits.objectByteCountMax))
  }

  private mutating func merge(_ old: Tree, _ new: Tree) throws(GitError) {
    var (oldIndex, newIndex) = (0, 0)
    while oldIndex < old.items.count || newIndex < new.items.count {
      let order: Int
      if oldIndex == old.items.count {
        order = 1
      } else if newIndex == new.items.count {
        order = -1
      } else {
        order = Tree.order(old.bytes, old.items[oldIndex], new.bytes, new.items[newIndex])
      }
      let oldItem = order <= 0 ? old.items[oldIndex] : nil
      let newItem = order >= 0 ? new.items[newIndex] : nil
      if oldItem != nil { oldIndex += 1 }
      if newItem != nil { newIndex += 1 }
      if let oldItem, let newItem, oldItem.mode == newItem.mode,
        Tree.isSameID(old.bytes, oldItem, new.bytes, newItem)
      {
        continue
      }
      try visit((old, oldItem), (new, newItem))
    }
  }

  /// Items at one place of the order: both directories, or neither.
  private mutating func visit(
    _ old: (tree: Tree, item: Tree.Item?), _ new: (tree: Tree, item: Tree.Item?)
  ) throws(GitError) {
    let name = new.item.map(new.tree.name) ?? old.item.map(old.tree.name) ?? []
    let parentByteCount = path.count
    if !path.isEmpty { path.append(UInt8(ascii: "/")) }
    path += name
    defer { path.removeLast(path.count - parentByteCount) }
    if (new.item ?? old.item)?.isDirectory == true {
      try descend(old.item.map(old.tree.id), new.item.map(new.tree.id))
    } else {
      try count()
      try visitor.entry(
        path, old: old.item.flatMap(old.tree.entry), new: new.item.flatMap(new.tree.entry))
    }
  }

  private mutating func count() throws(GitError) {
    visitCount += 1
    guard visitCount <= limits.visitCountMax else {
      throw .tooManyChanges(countMax: limits.visitCountMax)
    }
  }
}
