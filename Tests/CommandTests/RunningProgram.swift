import Foundation
import TestSupport
import Testing

/// A program that runs beside the test, and what it has written to its standard error. It is killed where nobody has
/// waited for its end.
final class RunningProgram: @unchecked Sendable {
  let process = Process()
  private let output = ProgramLog()

  init(
    _ program: PipelineProgram, _ arguments: [String], environment: [String: String] = [:]
  ) throws {
    process.executableURL = URL(fileURLWithPath: program.executable)
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: program.folder.path)
    process.environment = program.environment.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = output.pipe
    try process.run()
    // The thread holds the log alone: whoever lets go of the program ends it.
    Thread { [output] in output.read() }.start()
  }

  deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

  var pid: Int32 { process.processIdentifier }

  var log: String { output.all }

  /// Waits until a whole line holds `part`; answers it.
  @discardableResult
  func line(with part: String) throws -> String {
    try output.line(with: part, by: Date(timeIntervalSinceNow: patience / .seconds(1)))
  }

  /// Sends a signal and waits for the end; answers the exit status, negative for a signal, and how long it took.
  @discardableResult
  func end(_ signal: Int32 = SIGTERM) -> (status: Int32, seconds: Double) {
    let start = ContinuousClock.now
    if process.isRunning { kill(pid, signal) }
    return (wait(), (ContinuousClock.now - start) / .seconds(1))
  }

  /// That it stops by itself, and soon: it promises five seconds, of a machine that has nothing else to do.
  func expectEnd(_ signal: Int32 = SIGTERM, sourceLocation: SourceLocation = #_sourceLocation) {
    let end = end(signal)
    #expect(end.status == 0 && end.seconds < 20, "\(end) \(log)", sourceLocation: sourceLocation)
  }

  func wait() -> Int32 {
    process.waitUntilExit()
    let status = process.terminationStatus
    return process.terminationReason == .exit ? status : -status
  }
}

/// What comes out of a pipe, until its other end is closed.
private final class ProgramLog: @unchecked Sendable {
  struct NotLogged: Error { let part, log: String }

  let pipe = Pipe()
  // Guards `text` and `hasEnded`, which the reading thread writes.
  private let condition = NSCondition()
  private var text = ""
  private var hasEnded = false

  var all: String {
    condition.lock()
    defer { condition.unlock() }
    return text
  }

  func read() {
    while true {
      let data = pipe.fileHandleForReading.availableData
      condition.lock()
      text += String(decoding: data, as: UTF8.self)
      hasEnded = data.isEmpty
      condition.broadcast()
      condition.unlock()
      if data.isEmpty { return }
    }
  }

  func line(with part: String, by deadline: Date) throws -> String {
    condition.lock()
    defer { condition.unlock() }
    while true {
      for line in text.split(separator: "\n").dropLast(text.hasSuffix("\n") ? 0 : 1)
      where line.contains(part) { return String(line) }
      guard !hasEnded, condition.wait(until: deadline) else {
        throw NotLogged(part: part, log: text)
      }
    }
  }
}
