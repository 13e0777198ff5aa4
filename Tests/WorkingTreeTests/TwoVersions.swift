import GitModel
import WorkingTree

/// Two versions of a tree between which nearly everything changes its type, and the ways from one
/// to the other.
enum TwoVersions: String, Codable, CaseIterable {
  case first
  case second

  var other: TwoVersions { self == .first ? .second : .first }

  /// From the other version, or from an empty tree, to this one.
  var change: Change {
    switch self {
    case .first:
      Change(
        removals: ["becomes-file", "becomes-directory/x/y", "new/er/file", "module"],
        writes: [
          "plain": (.regular, "first"), "gone/deep/er/file": (.regular, "first"),
          "becomes-file/a": (.regular, "first"), "becomes-file/sub/b": (.executable, "first"),
          "becomes-directory": (.regular, "first"), "was-link": (.symbolicLink, "plain"),
          "becomes-link": (.regular, "first"), "module-link": (.symbolicLink, "plain"),
        ])
    case .second:
      Change(
        removals: [
          "gone/deep/er/file", "becomes-file/a", "becomes-file/sub/b", "becomes-directory",
        ],
        writes: [
          "plain": (.executable, "second"), "becomes-file": (.regular, "second"),
          "becomes-directory/x/y": (.executable, "second"), "was-link": (.regular, "second"),
          "new/er/file": (.regular, "second"), "becomes-link": (.symbolicLink, "plain"),
        ], submodules: ["module", "module-link"])
    }
  }

  /// A tree that holds this version and an untracked file.
  func makeTree(in sandbox: Sandbox) throws {
    try sandbox.write("untracked/file", "untracked")
    try sandbox.commit(TwoVersions.first.change)
    if self == .second { try sandbox.commit(change) }
  }
}
