import Foundation
import TestSupport

/// A program that ran, or could not: what it said is in the message.
struct ProgramFailure: Error, CustomStringConvertible {
  let description: String
}

/// The environment in which every program of a benchmark runs: git sees no configuration but ours.
struct Environment {
  let variables: [String]

  init(home: String) {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    variables = [
      "PATH=\(path)", "HOME=\(home)", "GIT_CONFIG_NOSYSTEM=1", "GIT_OPTIONAL_LOCKS=0", "LC_ALL=C",
      "GIT_TERMINAL_PROMPT=0",
    ]
  }
}

/// A running program, started without a shell: what it prints goes into a file, what it reads comes from one.
final class Program {
  let id: pid_t
  private let name: String
  private let output: String
  private let start = ContinuousClock.now
  private var status: Int32?

  init(
    _ command: [String], in directory: String, input: String = "/dev/null", output: String,
    errors: String? = nil, environment: Environment
  ) throws {
    name = command.prefix(3).joined(separator: " ")
    self.output = errors ?? output
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    let flags = O_WRONLY | O_CREAT | O_TRUNC
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, input, O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output, flags, 0o600)
    if let errors {
      posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors, flags, 0o600)
    } else {
      posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
    }
    // Only one thread of ours ever starts programs, so it can go there itself.
    guard chdir(directory) == 0 else {
      throw ProgramFailure(description: "\(directory): \(String(cString: strerror(errno)))")
    }
    let words: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
    let variables: [UnsafeMutablePointer<CChar>?] =
      environment.variables.map { strdup($0) } + [nil]
    defer { for text in words + variables { free(text) } }
    var id: pid_t = 0
    let code = posix_spawnp(&id, command[0], &actions, nil, words, variables)
    guard code == 0 else {
      throw ProgramFailure(description: "\(name): \(String(cString: strerror(code)))")
    }
    self.id = id
  }

  /// From the start to the end; another exit status is an error.
  @discardableResult
  func wait(endingWith expected: Int32 = 0) throws -> Duration {
    var raw: Int32 = 0
    while waitpid(id, &raw, 0) < 0 && errno == EINTR {}
    let elapsed = ContinuousClock.now - start
    status = raw
    guard raw == expected << 8 else {
      let text = try String(contentsOfFile: output, encoding: .utf8).suffix(2_000)
      throw ProgramFailure(description: "\(name): wait status \(raw): \(text)")
    }
    return elapsed
  }

  /// A whole line of what it prints, as soon as it is there.
  func line(with text: String) throws -> String {
    while true {
      let isOver = !isRunning
      let lines = try String(contentsOfFile: output, encoding: .utf8).split(
        separator: "\n", omittingEmptySubsequences: false)
      if let line = lines.dropLast().first(where: { $0.contains(text) }) { return String(line) }
      guard !isOver else { throw ProgramFailure(description: "\(name): \(lines.suffix(20))") }
      usleep(2_000)
    }
  }

  /// Until somebody takes connections at the port.
  func waitForListener(at port: UInt16) throws {
    while FreePort.connect(to: port).map({ close($0) }) == nil {
      guard isRunning else { throw ProgramFailure(description: "\(name): has ended") }
      usleep(2_000)
    }
  }

  /// Whether it still runs; does not wait.
  var isRunning: Bool {
    guard status == nil else { return false }
    var information = siginfo_t()
    waitid(P_PID, UInt32(id), &information, WEXITED | WNOHANG | WNOWAIT)
    return information.si_signo == 0
  }

  /// Asks it to stop, and waits for it.
  func stop() {
    guard status == nil else { return }
    kill(id, SIGTERM)
    var raw: Int32 = 0
    while waitpid(id, &raw, 0) < 0 && errno == EINTR {}
    status = raw
  }

  /// The most memory that was resident so far, in bytes, mapped files included (proc(5), VmHWM); `nil` once it has ended.
  var peakMemory: Int? {
    guard let status = FileManager.default.contents(atPath: "/proc/\(id)/status"),
      let line = String(decoding: status, as: UTF8.self).split(separator: "\n")
        .first(where: { $0.hasPrefix("VmHWM:") }),
      let count = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Int($0) })
    else { return nil }
    return count * 1_024
  }
}

// MARK: - What proc(5) tells of it while it runs

extension Program {
  /// Resident now, in bytes.
  var memory: Int {
    get throws {
      let text = try String(contentsOfFile: "/proc/\(id)/statm", encoding: .utf8)
      let fields = text.split(separator: " ").compactMap { Int($0) }
      guard fields.count > 1 else { throw ProgramFailure(description: "statm: \(text)") }
      return fields[1] * sysconf(Int32(_SC_PAGESIZE))
    }
  }

  /// Of all its threads so far, in seconds; in steps of 10 ms.
  var processorTime: Double {
    get throws {
      let text = try String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8)
      // The name, in brackets, may be anything; utime and stime are the 12th and 13th behind it.
      let fields = text.split(separator: ")").last?.split(separator: " ").compactMap { Double($0) }
      guard let fields, fields.count > 11 else {
        throw ProgramFailure(description: "stat: \(text)")
      }
      return (fields[10] + fields[11]) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
  }
}
