import Foundation
import TestSupport

/// The program that is to be killed, and where it runs.
struct Tools: Sendable {
  let executable: String
  let home: String

  func run(_ arguments: [String]) throws {
    try Program.run([executable] + arguments, home: home)
  }
}

/// One of the program's daemons: started, killed and started again; all that it ever said is in one file.
final class Daemon {
  let name: String
  let log: LogFile
  private let arguments: [String]
  private let tools: Tools
  private var process: Process?

  init(_ name: String, _ arguments: [String], _ tools: Tools) {
    self.name = name
    self.arguments = arguments
    self.tools = tools
    log = LogFile(path: tools.home + "/log/" + name)
  }

  deinit { kill() }

  var isRunning: Bool { process?.isRunning ?? false }
  /// Whether it should run.
  var isStarted: Bool { process != nil }

  func start() throws {
    process = try launch(arguments)
  }

  private func launch(_ arguments: [String]) throws -> Process {
    let output = try log.open()
    let process = Process()
    process.executableURL = URL(fileURLWithPath: tools.executable)
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: tools.home)
    process.environment = ["HOME": tools.home, "PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = output
    try process.run()
    try output.close()
    return process
  }

  /// Runs the same program in another way, to its end; answers its exit status.
  func runOnce(_ more: [String]) throws -> Int32 {
    let process = try launch(arguments + more)
    process.waitUntilExit()
    return process.terminationStatus
  }

  /// Returns when it is gone.
  func kill() {
    guard let process else { return }
    if process.isRunning { Glibc.kill(process.processIdentifier, SIGKILL) }
    process.waitUntilExit()
    self.process = nil
  }

  /// As a service manager does it; answers how that ended, `nil` when it does not run.
  func stop() -> Int32? {
    guard let process else { return nil }
    process.terminate()
    process.waitUntilExit()
    self.process = nil
    return process.terminationReason == .exit
      ? process.terminationStatus : -process.terminationStatus
  }

  /// When it has ended by itself: how. Once.
  func takeUnexpectedEnd() -> String? {
    guard let process, !process.isRunning else { return nil }
    self.process = nil
    let status = process.terminationStatus
    return process.terminationReason == .exit ? "exit status \(status)" : "signal \(status)"
  }
}

/// Everything that the runs of a daemon have logged.
struct LogFile: Sendable {
  let path: String

  func open() throws -> FileHandle {
    if !FileManager.default.fileExists(atPath: path) {
      _ = FileManager.default.createFile(atPath: path, contents: nil)
    }
    guard let file = FileHandle(forWritingAtPath: path) else {
      throw Failure("\(path) cannot be written")
    }
    try file.seekToEnd()
    return file
  }

  func lines() throws -> [Substring] {
    guard FileManager.default.fileExists(atPath: path) else { return [] }
    let text = String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
    return text.split(separator: "\n")
  }

  func count(_ part: String) throws -> Int { try lines().count { $0.contains(part) } }
}
