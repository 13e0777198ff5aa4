package import Diagnostics

extension ZeroMQError: OperatorError {
  package var code: ErrorCode {
    switch self {
    case .libraryTooOld, .curveMissing: .library
    case .keyByteCountWrong: .keyInvalid
    case .endpointInvalid, .addressNotOurs, .addressForbidden: .addressInvalid
    case .addressInUse: .addressInUse
    case .nameUnresolved: .nameUnresolved
    case .tooManySockets, .thread: .shortage
    case .notSecured, .notConnected, .contextEnded, .system: .carrierFault
    }
  }

  package var hint: String? {
    switch self {
    case .addressInUse: "stop the program that listens there, or choose another port"
    case .addressNotOurs: "use an address of this machine, or 0.0.0.0 for all of them"
    case .addressForbidden: "use a port of 1024 or above"
    case .nameUnresolved: "check the name, and that the resolver is reachable"
    default: nil
    }
  }
}
