/// An error that a person who runs the program can act on: what happened, under a name that never changes, and what to do.
package protocol OperatorError: Error, CustomStringConvertible {
  /// For scripts and alerts.
  var code: ErrorCode { get }
  /// One line: lower case, the thing first, then the reason.
  var message: String { get }
  /// What to do about it; `nil`: the message says all there is to say.
  var hint: String? { get }
  /// How a program ends that cannot go on because of it.
  var exit: ExitStatus { get }
}

extension OperatorError {
  package var message: String { description }
  package var hint: String? { nil }
  package var exit: ExitStatus { code.exit }
}
