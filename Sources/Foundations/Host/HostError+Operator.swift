package import Diagnostics

extension HostError: OperatorError {
  package var code: ErrorCode { .host }
}
