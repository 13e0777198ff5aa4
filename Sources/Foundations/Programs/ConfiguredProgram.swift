import Foundation
import Glibc

/// A program that a configuration names, with its arguments, a word each: no shell reads them.
package struct ConfiguredProgram: Hashable, Sendable {
  private static let outputByteCountMax = 4 << 10
  private static let searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

  /// Absolute.
  package let path: String
  package let arguments: [String]
  /// For it and all that it starts.
  package let deadline: Duration
  package let account: ProgramAccount?

  package init(
    _ path: String, _ arguments: [String] = [], deadline: Duration, account: ProgramAccount? = nil
  ) {
    (self.path, self.arguments) = (path, arguments)
    (self.deadline, self.account) = (deadline, account)
  }

  /// Every user of the machine can see as much in a list of processes.
  package var text: String { ([path] + arguments).joined(separator: " ") }

  /// Throws where it is missing, or where anyone on this machine could put another one in its place.
  package func requireSound() throws(ProgramError) {
    var status = stat()
    guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
      FileManager.default.isExecutableFile(atPath: path)
    else { throw .missing(path) }
    let mode = status.st_mode & 0o7777
    guard mode & 0o002 == 0 else { throw .rights(path, mode: mode) }
  }

  /// Blocks its thread, until the deadline. Of what the program says, the last 4 KiB are kept.
  package func run(
    _ more: [String] = [], in directory: String = "/", input: [UInt8] = [],
    variables: [String: String] = [:], until stop: ProgramStop
  ) throws(ProgramError) -> ProgramOutcome {
    try requireSound()
    var limits = ProgramCall.Limits(deadline: deadline)
    limits.outputByteCountMax = Self.outputByteCountMax
    limits.errorByteCountMax = Self.outputByteCountMax
    limits.outputExcess = .isForgotten
    return try ProgramCall(
      path, arguments + more, environment: environment.merging(variables) { $1 }, in: directory,
      input: input, account: account, limits: limits
    ).run(until: stop)
  }

  /// Programs look for their settings in the home of the user that they run as.
  private var environment: [String: String] {
    var variables = ["PATH": Self.searchPath, "LANG": "C.UTF-8"]
    variables["HOME"] = account?.home ?? ProcessInfo.processInfo.environment["HOME"]
    if let account { (variables["USER"], variables["LOGNAME"]) = (account.name, account.name) }
    return variables
  }
}

extension ProgramOutcome {
  /// What the program said last, as one line without its empty ones.
  package func lastWords(countMax: Int) -> String {
    let lines = (outputText + "\n" + errorText).split(whereSeparator: \.isNewline)
    let text = lines.map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
      .joined(separator: "; ")
    return String(text.suffix(countMax))
  }
}

extension ProgramOutcome.Ending: CustomStringConvertible {
  package var description: String {
    switch self {
    case .exit(let status): "ended with status \(status)"
    case .signal(let signal): "was ended by signal \(signal)"
    }
  }
}
