/// What the program's exit status means, for scripts and service managers.
package enum ExitStatus: Int32, CaseIterable, Sendable {
  case done = 0
  /// Something to repair on this machine, or no answer in time.
  case fault = 1
  /// Another machine refused, or is not where it should be.
  case refused = 2
  /// The command line (sysexits.h, EX_USAGE).
  case usage = 64
  /// The state directory (sysexits.h, EX_DATAERR): starting again does not help.
  case stateDamaged = 65
  /// A step took longer than its deadline (sysexits.h, EX_SOFTWARE).
  case deadline = 70
  /// The configuration (sysexits.h, EX_CONFIG): starting again does not help.
  case configuration = 78

  /// docs/reference/commands.md shows it.
  package var meaning: String {
    switch self {
    case .done: "done: all recipients applied it, or (with `--wait 0`) it is in the outbox"
    case .fault: "something to repair on this machine, or no answer in time; messages are kept"
    case .refused:
      "another machine refused; `status`: a checkout is stale or blocked, or a machine is refused, "
        + "blocked, behind or has unsent messages"
    case .usage: "the command line is invalid"
    case .stateDamaged: "the state directory is damaged; systemd does not restart the service"
    case .deadline: "a step exceeded `deadline-seconds`; systemd restarts the service"
    case .configuration:
      "the configuration, or a key file it names, is invalid; systemd does not restart the service"
    }
  }
}
