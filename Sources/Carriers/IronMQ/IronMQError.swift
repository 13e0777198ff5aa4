package import Diagnostics
package import WebClient

/// Why IronMQ did not do what it was asked. Never holds the token, nor a body.
package enum IronMQError: Error, Equatable, Sendable {
  case web(WebError)
  /// 401: it does not know the token.
  case unauthorized
  /// 403: the token is known, and may not; of a message: its reservation has ended.
  case forbidden(message: String)
  /// 404: no such queue, or no such message.
  case missing(message: String)
  /// 413: the whole request is over the limit of the project's plan.
  case requestTooLarge(byteCount: Int)
  /// 429 or 503: it asks for a pause.
  case paused(status: Int, seconds: Double?)
  case status(Int, message: String)
  case invalidAnswer(reason: String)
  /// The queue pushes its messages to somebody.
  case pushQueue(name: String, type: String)
}

extension IronMQError {
  /// Of a message that we had reserved: others have it by now, or it is gone.
  package var isLostReservation: Bool {
    switch self {
    case .forbidden, .missing: true
    default: false
    }
  }
}

extension IronMQError: OperatorError {
  package var description: String {
    switch self {
    case .web(let error): error.description
    case .unauthorized: "IronMQ refuses the token (401)"
    case .forbidden(let message): "IronMQ does not allow it (403)\(Self.said(message))"
    case .missing(let message): "IronMQ has no such queue (404)\(Self.said(message))"
    case .requestTooLarge(let count): "IronMQ takes no request of \(count) bytes (413)"
    case .paused(let status, _): "IronMQ asks for a pause (\(status))"
    case .status(let status, let message): "IronMQ answered \(status)\(Self.said(message))"
    case .invalidAnswer(let reason): "IronMQ sent an invalid answer: \(reason)"
    case .pushQueue(let name, let type):
      "the queue \(name) is of type \(type): it pushes messages to somebody"
    }
  }

  private static func said(_ message: String) -> String { message.isEmpty ? "" : ": \(message)" }

  package var code: ErrorCode {
    switch self {
    case .web(let error):
      switch error {
      case .certificate, .certificateFile: .carrierKey
      case .deadline: .carrierSilent
      case .unreachable: .carrierUnreachable
      default: .carrierFault
      }
    case .unauthorized, .forbidden, .missing: .carrierRejected
    case .requestTooLarge, .paused, .status, .invalidAnswer, .pushQueue: .carrierFault
    }
  }

  package var hint: String? {
    switch self {
    case .web(.certificate): "check 'ca-file:', and that the certificate is for the name in 'host:'"
    case .web(.unreachable): "check 'host:' and 'port:', the name server and the firewall"
    case .web(let error): error.hint
    case .unauthorized:
      "write the project's token to 'token-file:'; it is read again, and tokens of IronMQ v2 are others"
    case .forbidden: "check that the token is for 'project:', and the state of the account"
    case .missing:
      "check 'project:'; start the daemon of the machine whose queue it is: it makes its own"
    case .requestTooLarge: "set 'request-bytes: 65536'"
    case .pushQueue: "delete that queue: the daemon makes it anew, as a pull queue"
    case .paused, .status, .invalidAnswer: nil
    }
  }
}
