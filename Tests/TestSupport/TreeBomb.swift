/// Trees that are small as objects and huge as paths.
package enum TreeBomb {
  package enum Kind: String, CaseIterable, Sendable {
    /// 10^12 files.
    case twelveTreesThatNameEachOther
    /// 2^501 files.
    case fiveHundredTrees
    /// 2^501 directories and not one file.
    case directoriesAlone
    /// 10^8 files with paths of 1,600 bytes.
    case longNames
    /// 10^4 files of 1 MB.
    case oneBlobAtManyPaths
  }

  /// Objects with what they need before them, by a function that names one: git's or ours. The last is the root.
  package static func make<ID>(
    _ kind: Kind, object: (_ isTree: Bool, [UInt8]) throws -> (id: ID, bytes: [UInt8])
  ) throws -> ID {
    var level: (id: ID, bytes: [UInt8])
    if kind == .directoriesAlone {
      level = try object(true, [])
    } else {
      let isLarge = kind == .oneBlobAtManyPaths
      let blob = try object(false, [UInt8](repeating: 0, count: isLarge ? 1_000_000 : 0))
      level = try object(true, tree([("100644", "f", blob.bytes)]))
    }
    let (depth, width, length) =
      switch kind {
      case .twelveTreesThatNameEachOther: (12, 10, 1)
      case .fiveHundredTrees, .directoriesAlone: (501, 2, 1)
      case .longNames: (8, 10, 200)
      case .oneBlobAtManyPaths: (4, 10, 1)
      }
    for _ in 0..<depth {
      let names = (0..<width).map { "\($0)" + String(repeating: "n", count: length - 1) }
      level = try object(true, tree(names.map { ("40000", $0, level.bytes) }))
    }
    return level.id
  }

  private static func tree(_ entries: [(mode: String, name: String, id: [UInt8])]) -> [UInt8] {
    entries.flatMap { Array("\($0.mode) \($0.name)\0".utf8) + $0.id }
  }
}
