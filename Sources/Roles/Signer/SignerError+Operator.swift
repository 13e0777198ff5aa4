package import Diagnostics
import LargeFileFetching
import LargeFiles

extension SignerError: OperatorError {
  package var code: ErrorCode {
    switch self {
    case .unknownRepository, .notConfigured, .notOnBranch: .notConfigured
    case .missingReference: .branchMissing
    case .streamMoved: .streamMoved
    case .overtaken: .overtaken
    case .goingBack: .goingBack
    case .quorum: .usage
    case .emptyPatch: .noChange
    case .unsupported: .contentUnsupported
    case .unsendable(_, let error, _): error.code
    case .overLimit: .overLimit
    case .largeFile(_, _, let error): error.code
    case .largeFileFetch(_, _, _, let error): error.code
    case .submodule: .contentUnsupported
    case .mailbox(let error): error.code
    case .state: .stateDamaged
    }
  }

  package var hint: String? {
    switch self {
    case .unknownRepository:
      "add it under 'repositories:', or name a configured one with --repository"
    case .notConfigured: "add the branch to 'branches:' of that repository"
    case .missingReference: "run `git branch --list` in the repository to list its branches"
    case .streamMoved: "run the command again"
    case .goingBack:
      "move the branch there first (git branch --force), then send its tip"
    case .notOnBranch:
      "move the branch there, or run it as the user of the signer without the daemon"
    case .quorum: "ask for at most as many recipients as the branch has"
    case .emptyPatch: "nothing to send; commit a change first"
    case .mailbox(let error): error.hint
    case .largeFile(_, _, let error): error.hint
    case .largeFileFetch(_, _, _, let error): error.hint
    case .submodule(_, _, let fault): fault.hint
    case .unsupported(_, _, let hint), .unsendable(_, _, let hint): hint
    default: nil
    }
  }
}
