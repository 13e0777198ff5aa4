import Glibc

/// What the machine did not let us do in a folder that others write to as well.
package enum FolderError: Error, Equatable, CustomStringConvertible {
  case cannot(operation: String, path: String, code: Int32)
  /// Something else has the name: a symbolic link, a device, a file where a folder was expected.
  case unexpectedKind(path: String)
  case tooLong(path: String, limit: Int)

  package var isFullDisk: Bool { hasCode(in: [ENOSPC, EDQUOT]) }

  package var isReadOnly: Bool { hasCode(in: [EROFS]) }

  package var isMissing: Bool { hasCode(in: [ENOENT, ENOTDIR]) }

  /// It says nothing of what else is in the same place.
  package var isOfOneFile: Bool {
    switch self {
    case .unexpectedKind, .tooLong: true
    case .cannot: hasCode(in: [ENOENT, EACCES, EPERM, EISDIR, ENOTDIR, ENAMETOOLONG])
    }
  }

  private func hasCode(in codes: [Int32]) -> Bool {
    if case .cannot(_, _, let code) = self { codes.contains(code) } else { false }
  }

  package var description: String {
    switch self {
    case .cannot(let operation, let path, let code):
      "\(path): cannot \(operation): \(errorText(code))"
    case .unexpectedKind(let path): "\(path): is neither a plain file nor a plain directory"
    case .tooLong(let path, let limit): "\(path): is longer than \(limit) bytes"
    }
  }
}

/// strerror(3), which is thread-safe in glibc since 2.32.
private func errorText(_ code: Int32) -> String {
  guard let text = unsafe strerror(code) else { return "error \(code)" }
  return unsafe String(cString: text)
}
