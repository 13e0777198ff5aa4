package import Diagnostics

/// Why there is no connection to a server, it has ended, or something was not done.
package enum NATSError: Error, Equatable {
  /// There is no libnats, or none that can be used.
  case libraryMissing(reason: String)
  /// The name is unknown, or nothing answers there.
  case unreachable(reason: String)
  /// The server has no TLS, or its certificate is not from one of our authorities, or is for another name.
  case certificate(reason: String)
  case login(reason: String)
  /// The user may not publish or subscribe to a subject, which the reason names.
  case denied(reason: String)
  /// JetStream says no; `code` is its own, 0: there is no JetStream.
  case refused(code: Int, reason: String)
  /// The connection has ended, or is silent.
  case line(reason: String)
  case outOfMemory
}

extension NATSError {
  package var isMissingStream: Bool { if case .refused(10_059, _) = self { true } else { false } }

  package var isMissingConsumer: Bool {
    if case .refused(10_014, _) = self { true } else { false }
  }
}

extension NATSError: OperatorError {
  package var description: String {
    switch self {
    case .libraryMissing(let reason): "cannot use NATS: \(reason)"
    case .unreachable(let reason): "cannot be reached: \(reason)"
    case .certificate(let reason): "TLS fails: \(reason)"
    case .login(let reason): "the server refuses the login: \(reason)"
    case .denied(let reason): "the server does not permit it: \(reason)"
    case .refused(0, _): "JetStream is not enabled for this user"
    case .refused(let code, let reason): "JetStream refuses: \(code) \(reason)"
    case .line(let reason): "the connection has ended: \(reason)"
    case .outOfMemory: "out of memory"
    }
  }

  package var code: ErrorCode {
    switch self {
    case .libraryMissing: .library
    case .unreachable: .carrierUnreachable
    case .certificate: .carrierKey
    case .login, .denied, .refused: .carrierRejected
    case .line, .outOfMemory: .carrierFault
    }
  }

  package var hint: String? {
    switch self {
    case .libraryMissing: "apt-get install libnats3.4"
    case .unreachable: "check that the server runs, and that its name and port are right"
    case .certificate: "check 'ca-file:', and that the certificate is for the name in 'urls:'"
    case .login: "check 'credentials-file:', or 'user:' and 'password-file:'"
    case .denied: "give the user the permissions that 'distro doctor' prints"
    case .refused(0, _): "enable JetStream: 'jetstream {}' in the server's configuration"
    case .refused(10_059, _): "make the stream: 'distro doctor' prints the command"
    case .refused(10_065, _): "another stream has our subjects: nats stream ls --subject 'distro.>'"
    case .refused(10_074, _): "'replicas:' above 1 needs a cluster of so many servers"
    case .refused(10_023, _), .refused(10_047, _), .refused(10_005, _):
      "JetStream has too little storage, or too few servers for 'replicas:'"
    default: nil
    }
  }
}
