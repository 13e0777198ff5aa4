package import Diagnostics

extension MailError: OperatorError {
  package var code: ErrorCode {
    switch self {
    case .addressInvalid, .serverInvalid: .addressInvalid
    case .libraryMissing: .library
    case .unreachable: .serverUnreachable
    case .certificate, .noTLS: .serverCertificate
    case .login, .rejected: .serverRejected
    case .deadline, .stopped: .serverSilent
    case .failed: .serverInvalid
    }
  }

  package var hint: String? {
    switch self {
    case .libraryMissing: "apt-get install libcurl4"
    case .unreachable: "check 'server:', the name server and the firewall"
    case .certificate: "'ca-file:' names the certificates of an authority of your own"
    case .noTLS: "use smtps://, or a server that offers STARTTLS"
    case .login: "correct 'user:' and the file of 'password-file:'"
    default: nil
    }
  }
}
