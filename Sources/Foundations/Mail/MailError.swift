/// Why a mail was not handed in. Never holds a password.
package enum MailError: Error, Equatable, CustomStringConvertible {
  case addressInvalid(String)
  case serverInvalid(String, reason: String)
  /// There is no libcurl, or none that can be used.
  case libraryMissing(reason: String)
  case unreachable(host: String, reason: String)
  case certificate(host: String)
  /// The server does not offer STARTTLS.
  case noTLS(host: String)
  case login(host: String)
  /// The server said no, with an SMTP code.
  case rejected(host: String, recipient: String, code: Int)
  case deadline(host: String)
  case stopped
  /// libcurl's own words.
  case failed(host: String, reason: String)

  package var description: String {
    switch self {
    case .addressInvalid(let text): "'\(text)' is not a mail address of the form name@domain"
    case .serverInvalid(let text, let reason): "'\(text)': \(reason)"
    case .libraryMissing(let reason): "cannot send mail: \(reason)"
    case .unreachable(let host, let reason): "\(host): cannot connect: \(reason)"
    case .certificate(let host): "\(host): its certificate is not valid for that name"
    case .noTLS(let host): "\(host): does not offer STARTTLS"
    case .login(let host): "\(host): user or password was refused"
    case .rejected(let host, let recipient, let code):
      "\(host): refused the mail to \(recipient) with code \(code)"
    case .deadline(let host): "\(host): did not finish in time"
    case .stopped: "sending was stopped"
    case .failed(let host, let reason): "\(host): \(reason)"
    }
  }

  /// The server will not change its mind.
  package var isFinal: Bool {
    if case .rejected(_, _, 500..<600) = self { true } else { false }
  }
}
