import Glibc

/// A question to the operating system that it did not answer.
package enum HostError: Error, Equatable, CustomStringConvertible {
  case system(call: String, subject: String, code: Int32)
  /// `NOTIFY_SOCKET` names neither a path nor an abstract address, or is too long for a socket.
  case notifyAddressInvalid(String)
  /// Another process listens at the path.
  case socketInUse(String)
  /// Something else has the path of a socket.
  case noSocket(String)

  package var description: String {
    switch self {
    case .system(let call, let subject, let code):
      "\(subject): \(call) failed: \(unsafe String(cString: strerror(code)))"
    case .notifyAddressInvalid(let address):
      "NOTIFY_SOCKET=\(address): is no address of a socket that we can reach"
    case .socketInUse(let path): "\(path): another process listens there"
    case .noSocket(let path): "\(path): is there, and is no socket"
    }
  }
}

extension HostError {
  /// Nothing is there, or nothing listens there.
  package var isMissing: Bool { isSystem([ENOENT, ENOTDIR, ECONNREFUSED]) }
  package var isDenied: Bool { isSystem([EACCES, EPERM]) }
  package var isTimeout: Bool { isSystem([ETIMEDOUT]) }

  /// Something is used up, and may be there again later.
  package var isShortage: Bool { isSystem([ENOSPC, EDQUOT, EROFS, ENOMEM, EMFILE, ENFILE, EIO]) }

  private func isSystem(_ codes: [Int32]) -> Bool {
    if case .system(_, _, let code) = self { codes.contains(code) } else { false }
  }
}
