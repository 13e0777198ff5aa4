package import Diagnostics
package import MessageFormat

extension FormatError: OperatorError {
  package var code: ErrorCode { isOverLimit ? .overLimit : .messageInvalid }
}

extension SealingError: OperatorError {
  package var code: ErrorCode {
    if case .malformed(let error) = self { error.code } else { .messageInvalid }
  }
}
