import GitModel

/// Bounds on trees that someone else made: they are counted before a path of theirs is written down.
package struct TreeLimits: Hashable, Sendable {
  /// Files, symbolic links and submodules; as many directories are read at most.
  package let pathCountMax: Int
  /// Of the paths of all files, links and submodules together.
  package let pathByteCountMax: Int
  /// Of all files and links together: a content counts at each of its paths.
  package let byteCountMax: Int
  package let depthMax: Int
  /// What one tree or blob may have.
  package let objectByteCountMax: Int

  package static let pathCountMaxDefault = 1_000_000
  package static let pathByteCountMaxDefault = 64 << 20
  package static let byteCountMaxDefault = 8 << 30
  /// Sums of numbers up to here cannot overflow.
  package static let numberMax = 1 << 46

  package init(
    pathCountMax: Int = pathCountMaxDefault, pathByteCountMax: Int = pathByteCountMaxDefault,
    byteCountMax: Int = byteCountMaxDefault, depthMax: Int = 512,
    objectByteCountMax: Int = ObjectDatabase.byteCountMax
  ) {
    self.pathCountMax = min(pathCountMax, Self.numberMax)
    self.pathByteCountMax = min(pathByteCountMax, Self.numberMax)
    self.byteCountMax = min(byteCountMax, Self.numberMax)
    self.depthMax = depthMax
    self.objectByteCountMax = objectByteCountMax
  }

  /// For trees that were counted by narrower limits before.
  package static let counted = TreeLimits(
    pathCountMax: numberMax, pathByteCountMax: numberMax, byteCountMax: numberMax)

  /// What a tree is counted by that is to go: narrower limits must not keep it from going.
  var ofOldSide: TreeLimits {
    TreeLimits(
      pathCountMax: max(pathCountMax, Self.pathCountMaxDefault),
      pathByteCountMax: max(pathByteCountMax, Self.pathByteCountMaxDefault),
      byteCountMax: Self.numberMax, depthMax: depthMax, objectByteCountMax: objectByteCountMax)
  }

  /// The largest directory that fits: no entry takes less than 28 bytes beside its name.
  var treeByteCountMax: Int { min(objectByteCountMax, pathByteCountMax + 28 * (pathCountMax + 1)) }
}

/// What two trees are over, when they differ in more than they may.
package struct TreeExcess: Error, Hashable, Sendable {
  package enum Quantity: String, Sendable {
    case paths = "paths"
    case directories = "directories"
    case pathBytes = "bytes of paths"
    case bytes = "bytes of files"
  }

  package let quantity: Quantity
  package let limit: Int
  /// Of the tree that is to go; the other one may be fine.
  package let isOfOldSide: Bool

  package init(_ quantity: Quantity, limit: Int, isOfOldSide: Bool = false) {
    self.quantity = quantity
    self.limit = limit
    self.isOfOldSide = isOfOldSide
  }
}

extension TreeExcess: CustomStringConvertible {
  package var description: String {
    "\(isOfOldSide ? "old tree" : "tree"): more than \(limit) \(quantity.rawValue), the limit"
  }
}
