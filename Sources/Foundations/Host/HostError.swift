import Glibc

/// A question to the operating system that it did not answer.
package enum HostError: Error, Equatable, CustomStringConvertible {
  case system(call: String, subject: String, code: Int32)
  /// `NOTIFY_SOCKET` names neither a path nor an abstract address, or is too long for a socket.
  case notifyAddressInvalid(String)

  package var description: String {
    switch self {
    case .system(let call, let subject, let code):
      "\(subject): \(call) failed: \(unsafe String(cString: strerror(code)))"
    case .notifyAddressInvalid(let address):
      "NOTIFY_SOCKET=\(address): is no address of a socket that we can reach"
    }
  }
}
