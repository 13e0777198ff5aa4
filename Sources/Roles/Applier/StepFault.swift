package import Diagnostics
import Foundation
import Git
import GitModel
package import MessageFormat
import WorkingTree

/// Why a step on a checkout was taken back, or not begun: nothing that a message could do about, and over
/// when the cause is.
package enum StepFault: OperatorError, Equatable {
  /// Someone changed a file, or is writing to it.
  case touched(path: String, how: String)
  /// HEAD or the branch is not where the step begins, or the index has changed there.
  case moved(path: String)
  /// A command of the checkout's has not ended yet.
  case commandRuns(path: String)
  /// By the checkout's policy.
  case paused(path: String, until: Timestamp)
  /// What would be written does not fit.
  case insufficientSpace(path: String, neededByteCount: UInt64, freeByteCount: UInt64)

  package var description: String {
    switch self {
    case .touched(let path, let how): "\(path) \(how); the step was taken back"
    case .moved(let path):
      "\(path): another program moved HEAD, the branch or the index; the step was taken back"
    case .commandRuns(let path): "\(path): a command of its last step has not ended yet"
    case .paused(let path, let end):
      "\(path): nothing is applied until \(end.dateText) ('no-apply')"
    case .insufficientSpace(let path, let needed, let free):
      "\(path): not enough space: \(needed) bytes are needed, \(free) are free"
    }
  }

  package var code: ErrorCode {
    switch self {
    case .touched, .moved: .referenceMoved
    case .commandRuns: .programDeadline
    case .paused: .other
    case .insufficientSpace: .diskFull
    }
  }
}

extension Timestamp {
  /// In UTC, to the second: RFC 3339.
  var dateText: String {
    Date(timeIntervalSince1970: Double(milliseconds) / 1_000).formatted(.iso8601)
  }
}
