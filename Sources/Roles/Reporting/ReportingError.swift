package import Diagnostics
package import Programs

/// Why something was not told.
package enum ReportingError: Error, Equatable, OperatorError {
  /// A code host, or the receiver of a notice, said no.
  case rejected(by: String, status: Int, detail: String)
  /// The host asks us to wait.
  case limited(by: String, seconds: Int)
  /// A URL in a file.
  case addressInvalid(file: String)
  /// Ended with another status than 0; `said`: the end of what it said.
  case programFailed(String, ProgramOutcome.Ending, said: String)
  case state(String)

  package var description: String {
    switch self {
    case .rejected(let host, let status, let detail):
      "\(host): answered \(status)" + (detail.isEmpty ? "" : ": \(detail)")
    case .limited(let host, let seconds): "\(host): asks us to wait for \(seconds) s"
    case .addressInvalid(let file): "\(file): its first line is no https: URL"
    case .programFailed(let path, let ending, let said):
      "\(path): \(ending)" + (said.isEmpty ? "" : ": \(said)")
    case .state(let reason): "reporting state: \(reason)"
    }
  }

  package var code: ErrorCode {
    switch self {
    case .addressInvalid: .file
    case .programFailed: .programFailed
    case .rejected, .limited: .serverRejected
    case .state: .stateDamaged
    }
  }

  package var hint: String? {
    switch self {
    case .rejected(_, 401, _):
      "the token is not valid, or has expired: write a new one into its file"
    case .rejected(_, 403, _):
      "the token may not do this: give it the right to write commit statuses"
    case .rejected(_, 404, _):
      "the repository is not there for this token, or the revision was not pushed; check 'project:'"
    case .rejected(_, 400, _), .rejected(_, 422, _):
      "the host does not know the revision, or has too many statuses for it"
    case .rejected(_, 300..<400, _): "correct 'api:': calls are not sent on to another place"
    case .addressInvalid(let file): "write the URL that the service shows into \(file)"
    case .programFailed(let path, _, _): "run it by hand, as the user of the service: \(path)"
    default: nil
    }
  }
}
