import Programs

/// A program that takes a notice, or a mail, on its standard input.
package struct NoticeProgram: Sendable {
  /// Of what it says, so much of the end is in logs and errors.
  private static let saidCountMax = 500

  private let program: ConfiguredProgram

  /// `path`: absolute. `deadline`: for it and all that it starts.
  package init(_ path: String, _ arguments: [String] = [], deadline: Duration = .seconds(60)) {
    program = ConfiguredProgram(path, arguments, deadline: deadline)
  }

  package var path: String { program.path }

  /// Every user of the machine can see as much in a list of processes.
  var text: String { program.text }

  func requireSound() throws { try program.requireSound() }

  /// Returns the end of what it said; throws where it does not end with 0. Blocks its thread, until the deadline.
  func run(
    _ more: [String] = [], input: [UInt8], variables: [String: String] = [:],
    until stop: ProgramStop
  ) throws -> String {
    let outcome = try program.run(more, input: input, variables: variables, until: stop)
    let said = NoticeText.harmless(
      outcome.lastWords(countMax: Self.saidCountMax), countMax: Self.saidCountMax)
    guard outcome.isSuccess else {
      throw ReportingError.programFailed(path, outcome.ending, said: said)
    }
    return said
  }
}
