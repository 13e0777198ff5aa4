package import Diagnostics
import GRDB

extension MailboxError: OperatorError {
  package var code: ErrorCode {
    if isFullDisk { return .diskFull }
    if isLocked { return .stateLocked }
    return switch self {
    case .outOfOrder: .other
    case .missing: .messageMissing
    case .damaged: .stateDamaged
    case .ownedByAnother: .stateRights
    case .spool(let error): error.code
    case .database(let error), .state(_, let error):
      switch error.resultCode {
      case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH: .stateRights
      case .SQLITE_READONLY: .readOnly
      default: .file
      }
    }
  }

  package var hint: String? {
    if case .ownedByAnother(_, let user) = self {
      return "run the command as that user: sudo -u '#\(user)' distro …"
    }
    return switch code {
    case .stateInUse: "stop the daemon or the other `--once` run that uses the same 'state:'"
    case .stateLocked:
      "stop the program that holds the database of 'state:', for example a backup or sqlite3"
    case .stateDamaged: "run `distro doctor` with the same configuration; it says what may be done"
    case .stateRights: "run the command as the user of the service: sudo -u distro distro …"
    case .diskFull: "free space on the disk of 'state:'; nothing was lost"
    default: nil
    }
  }
}
