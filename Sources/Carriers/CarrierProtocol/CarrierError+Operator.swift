package import Diagnostics

extension CarrierError: OperatorError {
  package var code: ErrorCode {
    switch self {
    case .notReached(_, .nobodyListens), .notReached(_, .unknown): .carrierUnreachable
    case .notReached(_, .refused): .carrierRejected
    case .notReached(_, .wrongServer): .carrierKey
    case .noAnswer: .carrierSilent
    case .unexpectedAnswer, .faulty: .carrierFault
    }
  }

  package var hint: String? {
    switch self {
    case .notReached(_, .nobodyListens):
      "check that the other side runs, and that its name and port are right"
    case .notReached(_, .refused):
      "add our .pub file to the identities it trusts; a relay finds it by itself, an applier at a reload"
    case .notReached(_, .wrongServer): "compare 'server:' with the .pub file of the other side"
    case .noAnswer: "read the log of the other side; its disk may be full"
    case .unexpectedAnswer: "check that the other side is the same release of distro"
    default: nil
    }
  }
}
