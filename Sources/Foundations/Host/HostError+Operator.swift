package import Diagnostics
import Glibc

extension HostError: OperatorError {
  package var code: ErrorCode {
    switch self {
    case .socketInUse, .noSocket: .addressInUse
    default: .host
    }
  }

  package var hint: String? {
    switch self {
    case .socketInUse: "stop it, or give this signer another path: 'socket:'"
    case .noSocket: "remove it, or give this signer another path: 'socket:'"
    case .system("open", let path, ENOENT) where path.hasSuffix(".lock"),
      .system("open", let path, EACCES) where path.hasSuffix(".lock"):
      "make its directory, for the user of the service; in a unit: RuntimeDirectory=distro"
    case .system("chown", _, _):
      "the user of the service must be in the group; in a unit with PrivateUsers=yes only its own is known"
    default: nil
    }
  }
}
