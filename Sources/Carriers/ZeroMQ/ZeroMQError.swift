package import Threads

/// Everything that making or using a context, a socket or a thread can fail with; what a peer can
/// cause is a result instead.
package enum ZeroMQError: Error, Equatable {
  // The library.
  case libraryTooOld(version: LibraryVersion, required: LibraryVersion)
  /// The library was built without CURVE: nothing could be encrypted.
  case curveMissing

  // Keys.
  case keyByteCountWrong(actual: Int)
  /// The socket has no CURVE after all options were set; it is never bound or connected.
  case notSecured

  // Endpoints.
  case endpointInvalid(String, reason: EndpointFault)
  case addressInUse(endpoint: String)
  /// No interface of this machine has the address.
  case addressNotOurs(endpoint: String)
  /// Ports below 1024 need a privilege.
  case addressForbidden(endpoint: String)
  case notConnected(endpoint: String)
  /// The name is unknown, or the name server is out of reach.
  case nameUnresolved(String, reason: String)

  // Limits and life.
  case tooManySockets(countMax: Int)
  /// `Context.shutdown` was called; close the socket.
  case contextEnded
  case system(call: String, code: Int32)
  case thread(ThreadError)
}

/// Why a text is no endpoint that a socket takes.
package enum EndpointFault: String, Sendable {
  case notTCP = "must have the form tcp://host:port"
  case notInProcess = "must have the form inproc://name"
  case reserved = "the name belongs to the authenticator"
  case badHost = "the host is neither a name nor an address"
  case badPort = "the port must be a number from 1 to 65535"
  case unknownHost = "the name or interface is unknown"
}

extension ZeroMQError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .libraryTooOld(let version, let required):
      "libzmq \(version): is older than \(required), which is the oldest without known holes"
    case .curveMissing: "libzmq: was built without CURVE"
    case .keyByteCountWrong(let actual):
      "key: has \(actual) bytes, \(CurvePublicKey.byteCount) are needed"
    case .notSecured: "socket: is not secured by CURVE"
    case .endpointInvalid(let endpoint, let reason): "endpoint \(endpoint): \(reason.rawValue)"
    case .addressInUse(let endpoint): "endpoint \(endpoint): is in use"
    case .addressNotOurs(let endpoint): "endpoint \(endpoint): is no address of this machine"
    case .addressForbidden(let endpoint): "endpoint \(endpoint): is not permitted to this user"
    case .notConnected(let endpoint): "endpoint \(endpoint): was never connected"
    case .nameUnresolved(let name, let reason): "the name \(name) is not resolved: \(reason)"
    case .tooManySockets(let countMax): "sockets: \(countMax) are open, which is the limit"
    case .contextEnded: "context: has ended"
    case .system(let call, let code): "\(call): \(Libzmq.text(of: code))"
    case .thread(let error): error.description
    }
  }
}
