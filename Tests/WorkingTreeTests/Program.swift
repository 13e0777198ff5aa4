import Foundation

/// A program of the system, run to its end.
enum Program {
  struct Failure: Error {
    let command: [String]
    let output: String
  }

  @discardableResult
  static func run(_ command: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failure(command: command, output: output) }
    return output
  }
}

/// A file system in memory.
enum SmallFileSystem {
  /// Mounts one on a directory for as long as `body` runs.
  static func mount<Result>(
    on directory: Bytes, byteCount: Int, _ body: () throws -> Result
  ) throws -> Result {
    let size = "size=\(byteCount)"
    try Program.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", directory.description])
    let result = Swift.Result { try body() }
    try Program.run(["umount", directory.description])
    return try result.get()
  }

  /// Whether this machine lets us mount anything.
  static let isAllowed: Bool = {
    do {
      let sandbox = try Sandbox()
      try mount(on: sandbox.tree, byteCount: 4_096) {}
      return true
    } catch {
      return false
    }
  }()
}
