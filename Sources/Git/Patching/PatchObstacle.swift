package import GitModel

/// Why two trees' difference is no patch; a pack can say it. An expected outcome, not an error.
package enum PatchObstacle: Error, Equatable, Sendable, CustomStringConvertible {
  case tooManyPaths(countMax: Int)
  case patchTooLarge(byteCountMax: Int)
  case tooMuchBinary(byteCountMax: Int)
  case fileTooLarge(path: TreePath, byteCount: Int, byteCountMax: Int)
  case tooMuchContent(byteCountMax: Int)
  /// One of the trees is not all there: a partial clone, or a damaged repository.
  case objectMissing(ObjectID)
  /// Applied to the old tree, the patch gave another tree than the new one, or none.
  case failsProof(reason: String)

  package var description: String {
    switch self {
    case .tooManyPaths(let countMax): "more than \(countMax) paths change"
    case .patchTooLarge(let byteCountMax): "the patch has more than \(byteCountMax) bytes"
    case .tooMuchBinary(let byteCountMax):
      "the patch has more than \(byteCountMax) bytes of binary data"
    case .fileTooLarge(let path, let byteCount, let byteCountMax):
      "path \(path): has \(byteCount) bytes, \(byteCountMax) are allowed"
    case .tooMuchContent(let byteCountMax): "changed files have more than \(byteCountMax) bytes"
    case .objectMissing(let id): "object \(id): is not there"
    case .failsProof(let reason): "the patch does not lead to the new tree: \(reason)"
    }
  }
}
