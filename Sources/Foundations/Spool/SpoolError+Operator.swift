package import Diagnostics
import Glibc

extension SpoolError: OperatorError {
  package var code: ErrorCode {
    switch self {
    case .cannot(_, _, let code) where code == EACCES || code == EPERM: .stateRights
    case .cannot(_, _, let code) where code == EROFS: .readOnly
    case .cannot: isFullDisk ? .diskFull : isShortage ? .shortage : .file
    case .endsEarly: .messageMissing
    case .inUse: .stateInUse
    }
  }
}
