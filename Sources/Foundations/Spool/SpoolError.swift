import Glibc

/// What the machine did not let us do with a file of ours.
package enum SpoolError: Error, Equatable, CustomStringConvertible {
  case cannot(operation: String, path: String, code: Int32)
  case endsEarly(path: String, offset: UInt64)
  /// Another process works on what is in the directory.
  case inUse(path: String)

  /// The disk or the quota is full: nothing was lost, and the same step works once there is room.
  package var isFullDisk: Bool {
    if case .cannot(_, _, let code) = self { code == ENOSPC || code == EDQUOT } else { false }
  }

  /// There are too many descriptors, or too little memory: it says nothing of the file, and passes.
  package var isShortage: Bool {
    if case .cannot(_, _, let code) = self {
      [EMFILE, ENFILE, ENOMEM].contains(code)
    } else {
      false
    }
  }

  package var isNoSuchFile: Bool {
    if case .cannot(_, _, let code) = self { code == ENOENT } else { false }
  }

  package var description: String {
    switch self {
    case .cannot(let operation, let path, let code):
      "\(path): cannot \(operation): \(errorText(code))"
    case .endsEarly(let path, let offset):
      "\(path): ends early, there is nothing at byte \(offset)"
    case .inUse(let path): "\(path): another process works on it"
    }
  }
}

/// strerror(3), which is thread-safe in glibc since 2.32.
func errorText(_ code: Int32) -> String {
  guard let text = unsafe strerror(code) else { return "error \(code)" }
  return unsafe String(cString: text)
}
