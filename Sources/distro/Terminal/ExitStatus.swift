import ArgumentParser

/// What every command's exit status means; README.md lists them for scripts.
enum ExitStatus {
  static let done = ExitCode(0)
  /// The machine or the configuration: something to repair here.
  static let fault = ExitCode(1)
  /// The other side said no.
  static let refused = ExitCode(2)
  /// The command line (sysexits.h, EX_USAGE).
  static let usage = ExitCode(64)
}
