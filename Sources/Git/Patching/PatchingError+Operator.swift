package import Diagnostics
import Git
import PatchText

extension PatchingError: OperatorError {
  package var code: ErrorCode {
    switch self {
    case .git(let error): error.code
    case .text(let error): error.code
    case .tooDeep, .tooMuchContent: .overLimit
    case .baseDiffers, .blocked, .contentDiffers, .otherTree: .patchInvalid
    }
  }

  package var hint: String? { if case .git(let error) = self { error.hint } else { nil } }
}
