package import GitModel

/// How much a tree holds, or one side of a difference.
package struct TreeTotals: Hashable, Sendable {
  /// Files, symbolic links and submodules.
  package var pathCount = 0
  /// Of the paths of these, together.
  package var pathByteCount = 0
  /// Of the contents of files and links at all paths, together.
  package var byteCount = 0
  package var directoryCount = 0

  package init() {}

  /// One file more.
  package mutating func add(pathByteCount: Int, byteCount: Int) {
    pathCount += 1
    self.pathByteCount += pathByteCount
    self.byteCount += byteCount
  }

  /// A directory, with all that is below it.
  mutating func add(_ below: TreeTotals, nameByteCount: Int) {
    pathCount += below.pathCount
    pathByteCount += below.pathByteCount + below.pathCount * (nameByteCount + 1)
    byteCount += below.byteCount
    directoryCount += below.directoryCount + 1
  }

  /// Throws what is over a limit first.
  package func require(_ limits: TreeLimits) throws(TreeExcess) {
    if pathCount > limits.pathCountMax { throw TreeExcess(.paths, limit: limits.pathCountMax) }
    if directoryCount > limits.pathCountMax {
      throw TreeExcess(.directories, limit: limits.pathCountMax)
    }
    if pathByteCount > limits.pathByteCountMax {
      throw TreeExcess(.pathBytes, limit: limits.pathByteCountMax)
    }
    if byteCount > limits.byteCountMax { throw TreeExcess(.bytes, limit: limits.byteCountMax) }
  }
}

/// What goes and what comes between two trees.
package struct TreeDifference: Hashable, Sendable {
  package var old = TreeTotals()
  package var new = TreeTotals()

  package init() {}
}

extension ObjectDatabase {
  /// Counts the places in which two trees differ without walking to each: a pair of directories is
  /// looked at once, wherever it lies. So 500 trees that name each other cost 500 looks.
  ///
  /// - Throws: `treeOverLimit` as soon as one of the totals is over its limit; `treeTooDeep`,
  ///   `malformedTree`, `objectMissing`.
  package func difference(
    from old: ObjectID?, to new: ObjectID?, limits: TreeLimits
  ) throws(GitError) -> TreeDifference {
    guard old != new else { return TreeDifference() }
    var count = TreeCount(database: self, limits: limits)
    return try count.difference(old, new)
  }

  /// How much a whole tree holds.
  package func totals(of tree: ObjectID, limits: TreeLimits) throws(GitError) -> TreeTotals {
    try difference(from: nil, to: tree, limits: limits).new
  }
}

private struct TreeCount {
  private struct Pair: Hashable {
    let old: ObjectID?
    let new: ObjectID?
  }

  let database: ObjectDatabase
  let limits: TreeLimits
  private let oldLimits: TreeLimits
  private var known: [Pair: TreeDifference] = [:]
  private var byteCounts: [ObjectID: Int] = [:]
  private var path: [UInt8] = []
  private var depth = 0

  init(database: ObjectDatabase, limits: TreeLimits) {
    self.database = database
    self.limits = limits
    oldLimits = limits.ofOldSide
  }

  mutating func difference(
    _ old: ObjectID?, _ new: ObjectID?
  ) throws(GitError) -> TreeDifference {
    let pair = Pair(old: old, new: new)
    if let known = known[pair] { return known }
    guard depth <= limits.depthMax, path.count <= TreePath.byteCountMax else {
      throw .treeTooDeep(path: path, depthMax: limits.depthMax)
    }
    depth += 1
    var merge = TreeMerge(
      try database.tree(old, at: path, oldLimits), try database.tree(new, at: path, limits))
    var sum = TreeDifference()
    while let place = merge.next() {
      try add(place, of: merge, to: &sum)
      try require(sum)
    }
    depth -= 1
    known[pair] = sum
    return sum
  }

  private mutating func add(
    _ place: TreeMerge.Place, of merge: TreeMerge, to sum: inout TreeDifference
  ) throws(GitError) {
    let name = merge.name(of: place)
    if place.isDirectory {
      let parentByteCount = path.count
      if !path.isEmpty { path.append(UInt8(ascii: "/")) }
      path += name
      defer { path.removeLast(path.count - parentByteCount) }
      let below = try difference(merge.oldID(of: place), merge.newID(of: place))
      if place.old != nil { sum.old.add(below.old, nameByteCount: name.count) }
      if place.new != nil { sum.new.add(below.new, nameByteCount: name.count) }
      return
    }
    if let entry = merge.oldEntry(of: place) {
      sum.old.add(pathByteCount: name.count, byteCount: try oldByteCount(of: entry))
    }
    if let entry = merge.newEntry(of: place) {
      sum.new.add(pathByteCount: name.count, byteCount: try byteCount(of: entry))
    }
  }

  private func require(_ sum: TreeDifference) throws(GitError) {
    do throws(TreeExcess) {
      try sum.new.require(limits)
    } catch {
      throw .treeOverLimit(error)
    }
    do throws(TreeExcess) {
      try sum.old.require(oldLimits)
    } catch {
      throw .treeOverLimit(TreeExcess(error.quantity, limit: error.limit, isOfOldSide: true))
    }
  }

  private mutating func byteCount(of entry: TreeEntry) throws(GitError) -> Int {
    if entry.mode == .submodule { return 0 }
    if let byteCount = byteCounts[entry.id] { return byteCount }
    let byteCount = try database.header(entry.id).byteCount
    byteCounts[entry.id] = byteCount
    return byteCount
  }

  /// What is to go need not be there.
  private mutating func oldByteCount(of entry: TreeEntry) throws(GitError) -> Int {
    do throws(GitError) {
      return try byteCount(of: entry)
    } catch {
      guard case .objectMissing = error else { throw error }
      return 0
    }
  }
}
