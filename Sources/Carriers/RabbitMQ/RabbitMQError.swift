package import Diagnostics

/// Why there is no connection to a broker, or it has ended.
package enum RabbitMQError: Error, Equatable {
  /// The name is unknown, or nothing answers there.
  case unreachable(reason: String)
  /// The broker's certificate is not from one of our authorities, or is for another name.
  case certificate(reason: String)
  /// User, password or virtual host; `code` is AMQP's.
  case login(code: Int, reason: String)
  /// The broker has ended the channel or the connection, with a code of AMQP's.
  case closed(code: Int, reason: String)
  /// The line has ended, or is silent.
  case line(reason: String)
  case system(call: String, code: Int32)
  case outOfMemory
}

extension RabbitMQError {
  /// AMQP's not-found: no such queue.
  package var isMissing: Bool { if case .closed(404, _) = self { true } else { false } }
}

extension RabbitMQError: OperatorError {
  package var description: String {
    switch self {
    case .unreachable(let reason): "cannot be reached: \(reason)"
    case .certificate(let reason): "TLS fails: \(reason)"
    case .login(let code, let reason):
      "the broker refuses the login: \(code == 0 ? "" : "\(code) ")\(reason)"
    case .closed(let code, let reason): "the broker has ended the connection: \(code) \(reason)"
    case .line(let reason): "the connection has ended: \(reason)"
    case .system(let call, let code): "\(call): error \(code)"
    case .outOfMemory: "out of memory"
    }
  }

  package var code: ErrorCode {
    switch self {
    case .unreachable: .carrierUnreachable
    case .certificate: .carrierKey
    case .login, .closed: .carrierRejected
    case .line, .system, .outOfMemory: .carrierFault
    }
  }

  package var hint: String? {
    switch self {
    case .unreachable: "check that the broker runs, and that its name and port are right"
    case .certificate: "check 'ca-file:', and that the certificate is for the name in 'url:'"
    case .login: "check user and virtual host in 'url:', and 'password-file:'"
    case .closed(403, _): "give the user the permissions that 'distro doctor' prints"
    case .closed(404, _): "make the queue: 'distro doctor' prints the command"
    case .closed(541, _):
      "read the broker's log; a queue that it cannot use: rabbitmqctl delete_queue, then it is made anew"
    default: nil
    }
  }
}
