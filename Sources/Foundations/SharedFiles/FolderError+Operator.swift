package import Diagnostics
import Glibc

extension FolderError: OperatorError {
  package var code: ErrorCode {
    switch self {
    case .cannot(_, _, EMFILE), .cannot(_, _, ENFILE), .cannot(_, _, ENOMEM): .shortage
    default: isFullDisk ? .diskFull : isReadOnly ? .readOnly : .file
    }
  }
}
