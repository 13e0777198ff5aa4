import Foundation
import TestSupport

/// A program that runs beside the test, and what it has written to its standard error.
final class RunningProgram: @unchecked Sendable {
  enum Failure: Error { case notLogged(String, log: String) }

  let process = Process()
  private let output = Pipe()
  // Guards `text` and `hasEnded`, which the reading thread writes.
  private let condition = NSCondition()
  private var text = ""
  private var hasEnded = false

  init(
    _ program: PipelineProgram, _ arguments: [String], environment: [String: String] = [:]
  ) throws {
    process.executableURL = URL(fileURLWithPath: program.executable)
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: program.folder.path)
    process.environment = program.environment.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = output
    try process.run()
    Thread { [self] in read() }.start()
  }

  deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

  var pid: Int32 { process.processIdentifier }

  var log: String {
    condition.lock()
    defer { condition.unlock() }
    return text
  }

  private func read() {
    while true {
      let data = output.fileHandleForReading.availableData
      condition.lock()
      text += String(decoding: data, as: UTF8.self)
      hasEnded = data.isEmpty
      condition.broadcast()
      condition.unlock()
      if data.isEmpty { return }
    }
  }

  /// Waits until a whole line holds `part`; answers it.
  @discardableResult
  func line(with part: String, seconds: TimeInterval = 60) throws -> String {
    let deadline = Date(timeIntervalSinceNow: seconds)
    condition.lock()
    defer { condition.unlock() }
    while true {
      for line in text.split(separator: "\n").dropLast(text.hasSuffix("\n") ? 0 : 1)
      where line.contains(part) { return String(line) }
      guard !hasEnded, condition.wait(until: deadline) else {
        throw Failure.notLogged(part, log: text)
      }
    }
  }

  /// Sends a signal and waits for the end; answers the exit status, negative for a signal, and how long it took.
  @discardableResult
  func end(_ signal: Int32 = SIGTERM) -> (status: Int32, seconds: Double) {
    let start = ContinuousClock.now
    if process.isRunning { kill(pid, signal) }
    return (wait(), (ContinuousClock.now - start) / .seconds(1))
  }

  func wait() -> Int32 {
    process.waitUntilExit()
    let status = process.terminationStatus
    return process.terminationReason == .exit ? status : -status
  }
}
