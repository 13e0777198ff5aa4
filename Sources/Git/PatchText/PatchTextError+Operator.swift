package import Diagnostics

extension PatchTextError: OperatorError {
  package var code: ErrorCode {
    switch self {
    case .overLimit: .overLimit
    case .notCanonical, .unsafePath, .contradictory, .doesNotApply: .patchInvalid
    }
  }
}
