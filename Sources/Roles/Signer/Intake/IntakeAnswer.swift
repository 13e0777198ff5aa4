import Diagnostics
import Mailboxes

/// A frame of the daemon. One without any of these says that it lives.
struct IntakeAnswer: Codable, Sendable {
  /// The first word: from here on the knocker is heard. The protocol's version.
  var hello: Int?
  var report: IntakeReport?
  /// The last word: what the request came to …
  var result: IntakeResult?
  /// … or why it could not be handled.
  var refusal: IntakeRefusal?
}

/// An error as it crosses the socket: what an operator may read, and nothing else.
package struct IntakeRefusal: Codable, Sendable, Equatable {
  let message: String
  let hint: String?
  let code: String
  let exit: Int32

  init(_ error: any Error) {
    let error = MailboxError(ofDatabase: error) ?? error
    guard let error = error as? any OperatorError else {
      (message, hint, code, exit) = ("\(error)", nil, ErrorCode.other.rawValue, 1)
      return
    }
    (message, hint) = (error.message, error.hint)
    (code, exit) = (error.code.rawValue, error.exit.rawValue)
  }
}
