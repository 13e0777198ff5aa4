package import Diagnostics

extension DirectoryError: OperatorError {
  package var code: ErrorCode {
    switch self {
    case .notThere, .notPrepared: .carrierUnreachable
    case .otherVersion, .damaged: .carrierFault
    }
  }

  package var hint: String? {
    switch self {
    case .notThere(let path), .notPrepared(let path):
      "mount it; a new directory is prepared once: distro carry --prepare \(path)"
    case .otherVersion: "use the same release of distro on both sides"
    case .damaged: nil
    }
  }
}
