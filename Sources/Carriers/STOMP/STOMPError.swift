package import Diagnostics

/// Why there is no connection to a broker, or it has ended.
package enum STOMPError: Error, Equatable {
  /// The name is unknown, or nothing answers there.
  case unreachable(reason: String)
  /// The broker's certificate is not from one of our authorities, or is for another name.
  case certificate(reason: String)
  /// A file of authorities that cannot be used.
  case authorities(path: String)
  /// An ERROR in answer to CONNECT.
  case login(reason: String)
  /// An ERROR later on; the broker need not say more.
  case rejected(reason: String)
  /// What came is not STOMP 1.2.
  case malformed(reason: String)
  /// The line has ended, or is silent.
  case line(reason: String)
}

extension STOMPError: OperatorError {
  package var description: String {
    switch self {
    case .unreachable(let reason): "cannot be reached: \(reason)"
    case .certificate(let reason): "TLS fails: \(reason)"
    case .authorities(let path): "\(path): holds no certificate in PEM form that can be read"
    case .login(let reason): "the broker refuses the login: \(reason)"
    case .rejected(let reason): "the broker reports an error: \(reason)"
    case .malformed(let reason): "the broker does not speak STOMP 1.2: \(reason)"
    case .line(let reason): "the connection has ended: \(reason)"
    }
  }

  package var code: ErrorCode {
    switch self {
    case .unreachable: .carrierUnreachable
    case .certificate, .authorities: .carrierKey
    case .login, .rejected: .carrierRejected
    case .malformed, .line: .carrierFault
    }
  }

  package var hint: String? {
    switch self {
    case .unreachable: "check that the broker runs, and that its name and port are right"
    case .certificate: "check 'ca-file:', and that the certificate is for the name in 'url:'"
    case .authorities: "check 'ca-file:'"
    case .login:
      "check 'user:' and 'password-file:', and the virtual host in 'url:' if there is one"
    case .rejected: "give the user the rights that 'distro doctor' prints"
    case .malformed: "check that the port is that of the broker's STOMP connector"
    case .line: nil
    }
  }
}
