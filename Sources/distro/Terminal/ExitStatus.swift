import ArgumentParser
import Diagnostics
import Mailboxes

extension ExitCode {
  init(_ status: ExitStatus) { self.init(status.rawValue) }
}

extension ExitStatus {
  /// Of a command that ended with this error.
  init(of error: any Error) {
    let error = MailboxError(ofDatabase: error) ?? error
    self = (error as? any OperatorError)?.exit ?? .fault
  }
}
