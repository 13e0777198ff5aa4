package import Diagnostics

extension CompressionError: OperatorError {
  package var code: ErrorCode { self == .outOfMemory ? .shortage : .other }
}
