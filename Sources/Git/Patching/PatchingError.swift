package import Git
package import GitModel
package import PatchText

/// Why a patch gives no tree. All but `git` are the patch's fault.
package enum PatchingError: Error, Equatable, CustomStringConvertible {
  case git(GitError)
  case text(PatchTextError)
  /// The base tree has something else at the path than the patch was made from.
  case baseDiffers(path: TreePath, expected: TreeEntry?, actual: TreeEntry?)
  /// A file and a directory would have one path.
  case blocked(path: TreePath)
  /// The patch gives a content that has not the name it says.
  case contentDiffers(path: TreePath, expected: ObjectID, actual: ObjectID)
  /// Proving a patch only: it applies, but leads to this tree.
  case otherTree(ObjectID)
  case tooDeep(path: TreePath, depthMax: Int)
  case tooMuchContent(byteCountMax: Int)

  package var description: String {
    switch self {
    case .git(let error): error.description
    case .text(let error): error.description
    case .baseDiffers(let path, let expected, let actual):
      "path \(path): expected \(Self.text(expected)), found \(Self.text(actual))"
    case .blocked(let path): "path \(path): would be a file and a directory"
    case .contentDiffers(let path, let expected, let actual):
      "path \(path): would become \(actual.abbreviated) instead of \(expected.abbreviated)"
    case .otherTree(let tree): "patch: leads to the tree \(tree.abbreviated)"
    case .tooDeep(let path, let depthMax): "path \(path): lies deeper than \(depthMax) directories"
    case .tooMuchContent(let byteCountMax): "patch: makes more than \(byteCountMax) bytes of files"
    }
  }

  private static func text(_ entry: TreeEntry?) -> String {
    entry.map { "\($0.mode.octal) \($0.id.abbreviated)" } ?? "nothing"
  }
}
