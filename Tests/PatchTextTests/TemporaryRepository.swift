import Foundation

/// A bare repository below the temporary directory, used through the real git program with no
/// configuration but its own; removed with the object.
final class TemporaryRepository {
  let directory: URL
  private let environment: [String: String]

  init() throws {
    directory = FileManager.default.temporaryDirectory
      .appendingPathComponent("patch-text-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    environment = [
      "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin",
      "HOME": directory.path, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null",
      "GIT_DIR": directory.appendingPathComponent("repository.git").path,
      "GIT_INDEX_FILE": directory.appendingPathComponent("index").path,
    ]
    try git("init", "-q", "--bare", directory.appendingPathComponent("repository.git").path)
  }

  deinit {
    do {
      try FileManager.default.removeItem(at: directory)
    } catch {
      FileHandle.standardError.write(Data("left behind: \(directory.path): \(error)\n".utf8))
    }
  }

  /// What the command prints. Throws `GitFailure` when it fails.
  @discardableResult
  func git(
    _ arguments: String..., input: [UInt8] = [], workTree: URL? = nil
  ) throws -> [UInt8] {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["git"] + arguments
    process.environment = environment
    if let workTree {
      process.environment?["GIT_WORK_TREE"] = workTree.path
      process.currentDirectoryURL = workTree
    }
    let streams = ["input", "output", "errors"].map { directory.appendingPathComponent($0) }
    try Data(input).write(to: streams[0])
    for stream in streams[1...] { try Data().write(to: stream) }
    process.standardInput = try FileHandle(forReadingFrom: streams[0])
    process.standardOutput = try FileHandle(forWritingTo: streams[1])
    process.standardError = try FileHandle(forWritingTo: streams[2])
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      let errors = String(decoding: try Data(contentsOf: streams[2]), as: UTF8.self)
      throw GitFailure(arguments: arguments, errors: errors)
    }
    return [UInt8](try Data(contentsOf: streams[1]))
  }

  /// The same, for one line of text.
  func line(_ arguments: String...) throws -> String {
    let output: [UInt8] =
      switch arguments.count {
      case 1: try git(arguments[0])
      case 2: try git(arguments[0], arguments[1])
      default: preconditionFailure("one or two arguments")
      }
    return String(decoding: output, as: UTF8.self).trimmingCharacters(in: .newlines)
  }
}

struct GitFailure: Error, CustomStringConvertible {
  let arguments: [String]
  let errors: String

  var description: String { "git \(arguments.joined(separator: " ")): \(errors)" }
}
