import Foundation
import Host
import Programs

/// A program that takes a notice, or a mail, on its standard input. Run by its list of arguments, never through a shell.
package struct NoticeProgram: Sendable {
  private static let outputByteCountMax = 4 << 10
  /// Of what it says, so much of the end is in logs and errors.
  private static let saidCountMax = 500
  private static let searchPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

  /// Absolute.
  package let path: String
  package let arguments: [String]
  /// For it and all that it starts.
  private let deadline: Duration

  package init(_ path: String, _ arguments: [String] = [], deadline: Duration = .seconds(60)) {
    (self.path, self.arguments, self.deadline) = (path, arguments, deadline)
  }

  /// Every user of the machine can see as much in a list of processes.
  var text: String { ([path] + arguments).joined(separator: " ") }

  /// Throws where it is missing, or where anyone on this machine could put another one in its place.
  func requireSound() throws {
    guard let rights = try FileRights.of(path), !rights.isDirectory,
      FileManager.default.isExecutableFile(atPath: path)
    else { throw ProgramError.missing(path) }
    guard rights.mode & 0o002 == 0 else {
      throw ReportingError.programRights(path, mode: rights.mode)
    }
  }

  /// Returns the end of what it said; throws where it does not end with 0. Blocks its thread, until the deadline.
  func run(
    _ more: [String] = [], input: [UInt8], variables: [String: String] = [:],
    until stop: ProgramStop
  ) throws -> String {
    try requireSound()
    var limits = ProgramCall.Limits(deadline: deadline)
    limits.outputByteCountMax = Self.outputByteCountMax
    limits.errorByteCountMax = Self.outputByteCountMax
    limits.outputExcess = .isForgotten
    let outcome = try ProgramCall(
      path, arguments + more, environment: Self.environment.merging(variables) { $1 }, in: "/",
      input: input, limits: limits
    ).run(until: stop)
    let said = Self.said(outcome)
    guard outcome.isSuccess else {
      throw ReportingError.programFailed(path, outcome.ending, said: said)
    }
    return said
  }

  /// Mail programs look for their settings in the home of the service's user.
  private static var environment: [String: String] {
    var variables = ["PATH": searchPath, "LANG": "C.UTF-8"]
    variables["HOME"] = ProcessInfo.processInfo.environment["HOME"]
    return variables
  }

  /// As one harmless line.
  private static func said(_ outcome: ProgramOutcome) -> String {
    let lines = (outcome.outputText + "\n" + outcome.errorText).split(whereSeparator: \.isNewline)
    let text = lines.map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
      .joined(separator: "; ")
    return NoticeText.harmless(String(text.suffix(saidCountMax)), countMax: saidCountMax)
  }
}
