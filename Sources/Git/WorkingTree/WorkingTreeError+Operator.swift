package import Diagnostics

extension WorkingTreeError: OperatorError {
  package var code: ErrorCode { .file }
}
