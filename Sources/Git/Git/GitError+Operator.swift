package import Diagnostics
import Glibc

extension GitError: OperatorError {
  package var code: ErrorCode {
    switch self {
    case .directoryMissing, .notRepository: .repositoryMissing
    case .ownedByAnotherUser: .repositoryOwner
    case .objectFormatUnsupported, .extensionUnsupported, .indexUnsupported: .repositoryUnsupported
    case .locked, .heldByAnother: .repositoryLocked
    case .objectMissing, .objectKindWrong, .malformedTree, .malformedCommit, .indexUnreadable,
      .malformedShallowFile, .objectDamaged, .referenceDamaged:
      .repositoryDamaged
    case .inCommit(_, let error): error.code
    case .revisionMissing, .revisionAmbiguous: .revisionMissing
    case .referenceMoved: .referenceMoved
    case .objectTooLarge, .treeTooDeep, .treeOverLimit, .tooManyCommits, .tooManyPackedObjects,
      .packedObjectTooLarge:
      .overLimit
    case .system(_, _, let code) where code == ENOSPC || code == EDQUOT: .diskFull
    case .system(_, _, let code) where code == EROFS: .readOnly
    default: .repository
    }
  }

  package var hint: String? {
    switch self {
    case .directoryMissing, .notRepository:
      "set 'path:' in the configuration to a git repository"
    case .ownedByAnotherUser(let path):
      "as the user that distro runs as: git config --global --add safe.directory \(path)"
    case .objectFormatUnsupported: "use a SHA-1 repository; others are not supported"
    case .revisionMissing: "run `git log` in the repository to list revisions"
    case .indexUnsupported(let path, let form):
      form.remedy.map { "run: git --git-dir=\(SystemFile.parent(of: path)) \($0)" }
    case .locked: "wait for the other git command; if none runs, remove the file"
    default: nil
    }
  }
}
