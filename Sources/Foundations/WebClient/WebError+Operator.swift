package import Diagnostics

extension WebError: OperatorError {
  package var code: ErrorCode {
    switch self {
    case .addressInvalid: .addressInvalid
    case .certificateFile, .certificate: .serverCertificate
    case .unreachable: .serverUnreachable
    case .deadline, .stopped: .serverSilent
    case .broken, .redirected: .serverInvalid
    case .tooLarge: .overLimit
    case .file: .file
    }
  }

  package var hint: String? {
    switch self {
    case .certificate: "'ca-file:' names the certificates of an authority of your own"
    case .unreachable: "check the address, the name server and the firewall; 'proxy:' names a proxy"
    case .redirected: "correct the address: credentials are not sent on to another place"
    default: nil
    }
  }
}
