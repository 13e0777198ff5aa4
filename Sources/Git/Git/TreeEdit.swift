package import GitModel

/// What one name of a directory is to be; every other name stays as it is.
package struct TreeEdit: Hashable, Sendable {
  package enum Target: Hashable, Sendable {
    case nothing
    case directory(ObjectID)
    case entry(TreeEntry)
  }

  package let name: ArraySlice<UInt8>
  package let target: Target

  package init(name: ArraySlice<UInt8>, target: Target) {
    self.name = name
    self.target = target
  }

  /// The name as it counts in git's order.
  fileprivate var sortKey: [UInt8] {
    if case .directory = target { return name + [UInt8(ascii: "/")] }
    return Array(name)
  }

  fileprivate var printed: [UInt8] {
    let (mode, id): (String, ObjectID)
    switch target {
    case .nothing: return []
    case .directory(let directory): (mode, id) = ("40000", directory)
    case .entry(let entry): (mode, id) = (entry.mode.octal, entry.id)
    }
    return Array(mode.utf8) + [UInt8(ascii: " ")] + name + [0] + id.bytes
  }
}

extension Tree {
  /// The bytes of the tree after the edits; names must be unique among them. Untouched entries keep
  /// their bytes.
  package func edited(_ edits: [TreeEdit]) -> [UInt8] {
    let byName = edits.sorted { $0.name.lexicographicallyPrecedes($1.name) }
    let additions = edits.filter { $0.target != .nothing }
      .map { (key: $0.sortKey, edit: $0) }
      .sorted { $0.key.lexicographicallyPrecedes($1.key) }
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count + additions.count * 64)
    var next = additions.startIndex
    for item in items where !Self.contains(byName, name(of: item)) {
      while next < additions.endIndex,
        Self.order(
          bytes, item, additions[next].edit.name, isDirectory: additions[next].edit.isDirectory) > 0
      {
        result += additions[next].edit.printed
        next += 1
      }
      result += bytes[Int(item.start)..<item.end]
    }
    for addition in additions[next...] { result += addition.edit.printed }
    return result
  }

  private static func contains(_ sorted: [TreeEdit], _ name: ArraySlice<UInt8>) -> Bool {
    var range = sorted.startIndex..<sorted.endIndex
    while !range.isEmpty {
      let middle = (range.lowerBound + range.upperBound) / 2
      if sorted[middle].name.elementsEqual(name) { return true }
      let isBefore = sorted[middle].name.lexicographicallyPrecedes(name)
      range = isBefore ? (middle + 1)..<range.upperBound : range.lowerBound..<middle
    }
    return false
  }
}

extension TreeEdit {
  fileprivate var isDirectory: Bool {
    if case .directory = target { return true }
    return false
  }
}
