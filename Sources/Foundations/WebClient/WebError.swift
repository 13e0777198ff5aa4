import Glibc

/// Why there is no answer of a server. Never holds a header or a body: both may be secret.
package enum WebError: Error, Equatable, CustomStringConvertible {
  case addressInvalid(text: String, reason: String)
  /// A file of certificates that cannot be used.
  case certificateFile(path: String)
  case unreachable(host: String, reason: String)
  /// The server's certificate is not one that we trust for its name.
  case certificate(host: String)
  /// The request took longer than it may.
  case deadline(host: String, seconds: Int)
  /// The connection ended, or what came over it is not HTTP.
  case broken(host: String, reason: String)
  case tooLarge(host: String, byteCountMax: UInt64)
  /// To another place than may be followed.
  case redirected(host: String, status: Int, to: String)
  /// A file that a download was to be written to.
  case file(path: String, code: Int32)
  /// The client was stopped.
  case stopped

  package var description: String {
    switch self {
    case .addressInvalid(let text, let reason): "\(text): \(reason)"
    case .certificateFile(let path): "\(path): holds no certificates in PEM form"
    case .unreachable(let host, let reason): "\(host): cannot connect: \(reason)"
    case .certificate(let host): "\(host): its certificate is not valid for that name"
    case .deadline(let host, let seconds): "\(host): did not answer within \(seconds) s"
    case .broken(let host, let reason): "\(host): the connection broke: \(reason)"
    case .tooLarge(let host, let limit): "\(host): the answer is over the limit of \(limit) bytes"
    case .redirected(let host, let status, let place):
      "\(host): answered \(status) and sends us to \(place), which is not followed"
    case .file(let path, let code):
      "\(path): cannot write: \(unsafe String(cString: strerror(code)))"
    case .stopped: "the request was stopped"
    }
  }
}
