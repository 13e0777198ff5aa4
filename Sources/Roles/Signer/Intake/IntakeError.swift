package import Diagnostics
package import Host

/// Why a request did not come to its end at the signer's socket. `path`: where it is.
package enum IntakeError: Error, Equatable, Sendable {
  case absent(String)
  case noRights(String)
  /// It has taken the connection, or lets us wait for it, and says nothing.
  case silent(String)
  case ended(String)
  case otherVersion(String, theirs: Int, ours: Int)
  /// What the other side said, or we would say, is outside of the protocol.
  case invalid(String)
  case host(HostError)
  /// The daemon's own words.
  case refused(IntakeRefusal)
}

extension IntakeError: OperatorError {
  package var description: String {
    switch self {
    case .absent(let path): "\(path): no daemon listens there"
    case .noRights(let path): "\(path): permission denied: this user may not ask the daemon to send"
    case .silent(let path): "\(path): the daemon does not answer: it hangs, or has no place free"
    case .ended(let path): "\(path): the daemon ended before it was done, and has not come back"
    case .otherVersion(let path, let theirs, let ours):
      "\(path): the daemon speaks version \(theirs), and this program \(ours)"
    case .invalid(let reason): "request: \(reason)"
    case .host(let error): error.description
    case .refused(let refusal): refusal.message
    }
  }

  package var code: ErrorCode {
    switch self {
    case .absent: .daemonMissing
    case .noRights: .daemonRights
    case .silent: .daemonSilent
    case .ended: .daemonEnded
    case .otherVersion: .daemonVersion
    case .invalid: .requestInvalid
    case .host(let error): error.code
    case .refused(let refusal): ErrorCode(rawValue: refusal.code) ?? .other
    }
  }

  package var hint: String? {
    switch self {
    case .absent:
      "start `distro serve` with a signer that has 'socket:', or work without it: --config FILE"
    case .noRights(let path):
      "its group may: `ls -l \(path)`, then add this user to it: usermod -aG GROUP USER, and log in again"
    case .silent:
      "nothing is lost, the push is in the repository: restart `distro serve`, then run this again, or "
        + "distro sign-and-send --ref BRANCH"
    case .ended:
      "what it has stored goes on when it starts; run this again then, or distro sign-and-send --ref BRANCH"
    case .otherVersion: "restart `distro serve`, so that both are the program that is installed"
    case .invalid: nil
    case .host(let error): error.hint
    case .refused(let refusal): refusal.hint
    }
  }

  package var exit: ExitStatus {
    if case .refused(let refusal) = self { return ExitStatus(rawValue: refusal.exit) ?? .fault }
    return code.exit
  }
}
