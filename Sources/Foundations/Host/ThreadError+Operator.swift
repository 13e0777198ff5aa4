package import Diagnostics
package import Threads

extension ThreadError: OperatorError {
  package var code: ErrorCode { .shortage }
  package var hint: String? { "raise TasksMax= in the unit, or the user's limit on processes" }
}
