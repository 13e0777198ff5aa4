package import Diagnostics
import Glibc
package import Host

/// What keeps the role from working, or a request from being taken.
package enum HookFault: Error, Equatable, Sendable {
  case addressInUse(String)
  case address(HostError)
  /// Others can read a file that is to be secret.
  case secretRights(String, mode: UInt32)
  case secretInvalid(String)
  case secretUnreadable(HostError)
  case certificate(String, reason: String)
  /// More requests wait to be stored than fit.
  case busy

  /// Why we cannot listen.
  init(listening error: HostError, at place: String) {
    switch error {
    case .socketInUse: self = .addressInUse(place)
    case .system(_, _, EADDRINUSE): self = .addressInUse(place)
    default: self = .address(error)
    }
  }
}

extension HookFault: OperatorError {
  package var description: String {
    switch self {
    case .addressInUse(let address): "\(address): another process listens there"
    case .address(let error): "cannot listen: \(error.description)"
    case .secretRights(let path, let mode):
      "\(path): others can read the secret (mode 0\(String(mode, radix: 8)))"
    case .secretInvalid(let path):
      "\(path): not a secret: empty, over \(HookLimits.secretByteCountMax) bytes, or not base64 behind whsec_"
    case .secretUnreadable(let error): error.description
    case .certificate(let path, let reason):
      "\(path): cannot use the certificate or its key: \(reason)"
    case .busy: "too many requests wait to be stored"
    }
  }

  package var code: ErrorCode {
    switch self {
    case .addressInUse: .addressInUse
    case .address: .host
    case .secretRights: .keyRights
    case .secretInvalid, .certificate: .keyInvalid
    case .secretUnreadable: .keyMissing
    case .busy: .shortage
    }
  }

  /// What the configuration names: starting again does not help.
  package var exit: ExitStatus {
    switch self {
    case .secretRights, .secretInvalid, .secretUnreadable, .certificate: .configuration
    default: code.exit
    }
  }

  package var hint: String? {
    switch self {
    case .addressInUse: "stop it, or give this role another address: 'listen:'"
    case .address(let error):
      error.hint
        ?? "check 'listen:'; ports below 1024 are for a proxy, or need CAP_NET_BIND_SERVICE"
    case .secretRights(let path, _):
      "as root: chown USER \(path), with the user of the service; chmod 600 \(path)"
    case .secretInvalid: "make one: openssl rand -hex 32 > FILE; give the same to the code host"
    case .secretUnreadable: "make one: openssl rand -hex 32 > FILE; chmod 600 FILE"
    case .certificate:
      "'tls:' wants PEM files: the certificate with its chain, and the key that belongs to it"
    case .busy: nil
    }
  }
}
