package import Diagnostics
import Glibc

/// Why a program did not come to an end of its own. Never names arguments, environment or what the program said.
package enum ProgramError: Error, Equatable, Sendable {
  /// There is no such program, or it may not be run.
  case missing(String)
  case directoryMissing(String)
  /// Anyone on this machine could put another program in its place.
  case rights(String, mode: UInt32)
  /// No user or group of this machine has that name.
  case accountMissing(String)
  /// It was ended since it took too long.
  case deadline(program: String, Duration)
  /// It was ended since it said too much.
  case overLimit(program: String, byteCountMax: Int)
  /// It was ended since its `ProgramStop` was used.
  case stopped(program: String)
  case system(program: String, call: String, code: Int32)
  /// It could not be started, or watched.
  case launch(program: String, reason: String)
}

extension ProgramError: OperatorError {
  package var description: String {
    switch self {
    case .missing(let path): "\(path): there is no such program, or it may not be run"
    case .rights(let path, let mode):
      "\(path): can be written by anyone (mode 0\(String(mode, radix: 8)))"
    case .accountMissing(let name): "\(name): this machine has no such user or group"
    case .directoryMissing(let path): "\(path): cannot run a program in this directory"
    case .deadline(let program, let limit):
      "\(program): did not end within \(limit.components.seconds) s, and was ended"
    case .overLimit(let program, let limit):
      "\(program): wrote more than \(limit) bytes, and was ended"
    case .stopped(let program): "\(program): was ended with this program"
    case .system(let program, let call, let code):
      "\(program): \(call) failed: \(unsafe String(cString: strerror(code)))"
    case .launch(let program, let reason): "\(program): cannot be run: \(reason)"
    }
  }

  package var code: ErrorCode {
    switch self {
    case .missing: .programMissing
    case .rights: .programRights
    case .deadline: .programDeadline
    case .accountMissing: .programFailed
    case .directoryMissing, .overLimit, .stopped, .launch: .programFailed
    case .system: .host
    }
  }

  package var hint: String? {
    switch self {
    case .missing(let path): "install it, or correct its path: `ls -l \(path)`"
    case .rights(let path, _): "chmod o-w \(path)"
    default: nil
    }
  }
}
