import Foundation

/// A program of the system, run to its end, knowing nothing of this user's configuration.
package enum Program {
  package struct Result: Sendable {
    package let status: Int32
    package let output: [UInt8]
    package let errors: [UInt8]
  }

  package struct Failure: Error, CustomStringConvertible {
    package let command: [String]
    package let result: Result

    package var description: String {
      "\(command.joined(separator: " ")): \(result.status): "
        + String(decoding: result.output + result.errors, as: UTF8.self)
    }
  }

  /// Where what a program reads comes from.
  package enum Input {
    case bytes([UInt8])
    case file(String)
  }

  /// Whatever its status is. `home` is its home directory and takes its input and output as files: files stand in for
  /// pipes, so that nothing can block.
  package static func status(
    _ command: [String], input: Input = .bytes([]), home: String, in directory: String? = nil,
    environment: [String: String] = [:]
  ) throws -> Result {
    let name = home + "/" + UUID().uuidString
    let streams = (input: name + ".in", output: name + ".out", errors: name + ".err")
    defer {
      for stream in [streams.input, streams.output, streams.errors] { unsafe unlink(stream) }
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    process.currentDirectoryURL = URL(fileURLWithPath: directory ?? home)
    process.environment = isolated(home: home).merging(environment) { $1 }
    switch input {
    case .bytes(let bytes):
      try Data(bytes).write(to: URL(fileURLWithPath: streams.input))
      process.standardInput = try FileHandle(
        forReadingFrom: URL(fileURLWithPath: streams.input))
    case .file(let path):
      process.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
    }
    process.standardOutput = try newFile(streams.output)
    process.standardError = try newFile(streams.errors)
    try process.run()
    process.waitUntilExit()
    return Result(
      status: process.terminationStatus, output: try content(streams.output),
      errors: try content(streams.errors))
  }

  /// The output; throws when the program fails.
  @discardableResult
  package static func run(
    _ command: [String], input: Input = .bytes([]), home: String, in directory: String? = nil,
    environment: [String: String] = [:]
  ) throws -> [UInt8] {
    let result = try status(
      command, input: input, home: home, in: directory, environment: environment)
    guard result.status == 0 else { throw Failure(command: command, result: result) }
    return result.output
  }

  private static func isolated(home: String) -> [String: String] {
    [
      "PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": home, "LC_ALL": "C",
      "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null",
      "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org",
      "GIT_AUTHOR_DATE": "1700000000 +0000",
      "GIT_COMMITTER_NAME": "C", "GIT_COMMITTER_EMAIL": "c@example.org",
      "GIT_COMMITTER_DATE": "1700000000 +0000",
    ]
  }

  private static func newFile(_ path: String) throws -> FileHandle {
    try Data().write(to: URL(fileURLWithPath: path))
    return try FileHandle(forWritingTo: URL(fileURLWithPath: path))
  }

  private static func content(_ path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
  }
}
