package import Diagnostics
package import Threads

extension ThreadError: OperatorError {
  package var code: ErrorCode { .shortage }
  package var hint: String? {
    switch lack {
    case .thread: "raise TasksMax= in the unit, or the user's limit on processes"
    case .wakeUp: "raise LimitNOFILE= in the unit, or the user's limit on open files"
    }
  }
}
