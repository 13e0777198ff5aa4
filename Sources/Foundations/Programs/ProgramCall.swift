/// A program to run: by a list of arguments, never through a shell, and with an environment of its own. Nothing of this
/// process's environment is inherited, and no descriptor besides the three standard ones.
///
/// Arguments can be read by every user of the machine (`/proc/PID/cmdline`), the environment by this one alone: a secret
/// belongs into the environment, or into the input.
package struct ProgramCall: Sendable {
  /// What a program may take and say.
  package struct Limits: Sendable {
    /// Then the program and everything it started is ended: SIGTERM to its process group, and SIGKILL after `grace`.
    package var deadline: Duration
    package var grace: Duration = .seconds(2)
    package var outputByteCountMax = 1 << 20
    /// What becomes of a program that writes more than that to its standard output.
    package var outputExcess = Excess.endsProgram
    /// Of its standard error, the last so many bytes are kept, and the others forgotten.
    package var errorByteCountMax = 64 << 10

    package init(deadline: Duration) { self.deadline = deadline }
  }

  package enum Excess: Sendable {
    case endsProgram
    /// The last bytes are kept, and the others forgotten.
    case isForgotten
  }

  /// Absolute.
  package let executable: String
  package let arguments: [String]
  package let environment: [String: String]
  /// `nil`: that of this process.
  package let directory: String?
  package let input: [UInt8]
  /// `nil`: as this process.
  package let account: ProgramAccount?
  package let limits: Limits

  package init(
    _ executable: String, _ arguments: [String], environment: [String: String],
    in directory: String? = nil, input: [UInt8] = [], account: ProgramAccount? = nil,
    limits: Limits
  ) {
    precondition(executable.hasPrefix("/"), "a program is named by its absolute path")
    self.executable = executable
    self.arguments = arguments
    self.environment = environment
    self.directory = directory
    self.input = input
    self.account = account
    self.limits = limits
  }

  /// Without its directory, for errors and logs.
  var name: String { executable.split(separator: "/").last.map(String.init) ?? executable }
}

/// How a program ended, and what it said.
package struct ProgramOutcome: Sendable, Equatable {
  package enum Ending: Sendable, Equatable {
    case exit(Int32)
    case signal(Int32)
  }

  package let ending: Ending
  package let output: [UInt8]
  /// Its standard error, or the end of it.
  package let errors: [UInt8]

  package var isSuccess: Bool { ending == .exit(0) }

  package var outputText: String { String(decoding: output, as: UTF8.self) }
  package var errorText: String { String(decoding: errors, as: UTF8.self) }
}
