import ArgumentParser

/// What every command's exit status means; README.md lists them for scripts.
enum ExitStatus {
  static let done = ExitCode(0)
  /// Something to repair on this machine.
  static let fault = ExitCode(1)
  /// The other side said no.
  static let refused = ExitCode(2)
  /// The command line (sysexits.h, EX_USAGE).
  static let usage = ExitCode(64)
  /// A configuration that cannot be taken: starting again does not help (sysexits.h, EX_CONFIG).
  static let configuration = ExitCode(78)

  /// Of a command that ended with this error.
  static func status(of error: any Error) -> ExitCode {
    error is ConfigurationError ? configuration : fault
  }
}
