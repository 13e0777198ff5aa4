package import Diagnostics

extension CheckoutFault: OperatorError {
  package var code: ErrorCode { (reason as? any OperatorError)?.code ?? .file }
  package var hint: String? { (reason as? any OperatorError)?.hint }
}
