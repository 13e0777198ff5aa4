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
  /// Home directory, and where files stand in for pipes, so that nothing can block.
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
    let name = folder.path("run-" + UUID().uuidString)
    let url = { (suffix: String) in URL(fileURLWithPath: name + suffix) }
    for (suffix, content) in [(".in", input), (".out", []), (".err", [])] {
      try Data(content).write(to: url(suffix))
    }
    defer {
      for suffix in [".in", ".out", ".err"] { unsafe unlink(name + suffix) }
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: executable)
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: directory ?? folder.path)
    process.environment = environment.merging(more) { $1 }
    process.standardInput = try FileHandle(forReadingFrom: url(".in"))
    process.standardOutput = try FileHandle(forWritingTo: url(".out"))
    process.standardError = try FileHandle(forWritingTo: url(".err"))
    try process.run()
    process.waitUntilExit()
    return ProgramResult(
      status: process.terminationReason == .exit
        ? process.terminationStatus : -process.terminationStatus,
      output: [UInt8](try Data(contentsOf: url(".out"))),
      errors: String(decoding: try Data(contentsOf: url(".err")), as: UTF8.self))
  }
}
