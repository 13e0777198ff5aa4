import Foundation

/// What a program left behind when it ended.
package struct ProgramResult: Sendable {
  package let status: Int32
  package let output: [UInt8]
  package let errors: String

  /// The output without its last newline.
  package var text: String {
    let text = String(decoding: output, as: UTF8.self)
    return text.hasSuffix("\n") ? String(text.dropLast()) : text
  }

  /// The words of the output, wherever its lines end.
  package var sentence: String { text.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
}

package struct ProgramFailure: Error {
  package let arguments: [String]
  package let result: ProgramResult

  package init(arguments: [String], result: ProgramResult) {
    self.arguments = arguments
    self.result = result
  }
}

/// A program to run, with an environment that holds nothing of this machine's.
package struct PipelineProgram: Sendable {
  package let executable: String
  /// Home directory.
  package let folder: PipelineFolder

  package init(_ executable: String, in folder: PipelineFolder) {
    self.executable = executable
    self.folder = folder
  }

  package var environment: [String: String] {
    [
      "HOME": folder.path, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null",
      "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org",
      "GIT_COMMITTER_NAME": "C", "GIT_COMMITTER_EMAIL": "c@example.org",
      "GIT_AUTHOR_DATE": "1700000000 +0000", "GIT_COMMITTER_DATE": "1700000000 +0000",
      "PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC",
    ]
  }

  package func run(
    _ arguments: [String], in directory: String? = nil, input: [UInt8] = [],
    environment more: [String: String] = [:]
  ) throws -> ProgramResult {
    try SpawnedProgram.run(
      [executable] + arguments, in: directory ?? folder.path, input: input,
      environment: environment.merging(more) { $1 })
  }
}
