package import Diagnostics
internal import Glibc

extension LargeFileError: OperatorError {
  package var code: ErrorCode {
    switch self {
    case .missing: .largeFileMissing
    case .damaged, .otherContent: .largeFileDamaged
    case .cannot(_, _, let code): code == ENOSPC || code == EDQUOT ? .diskFull : .file
    }
  }

  package var hint: String? {
    switch self {
    case .missing: "run `git lfs fetch --all` in the repository, or have it pushed: `git lfs push`"
    case .damaged: "remove the file, then run `git lfs fetch` in the repository"
    default: nil
    }
  }
}
