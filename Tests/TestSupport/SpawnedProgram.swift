import Foundation
import Glibc

/// A program that was started with posix_spawn(3): ten times as fast as Foundation's way, which matters where a test
/// starts thousands.
package enum SpawnedProgram {
  private struct Failure: Error {
    let call: String
    let code: Int32
  }

  /// Files without a name stand in for pipes, so that nothing can block.
  @safe
  private final class Stream {
    private let file: UnsafeMutablePointer<FILE>

    init(_ bytes: [UInt8] = []) throws {
      guard let made = unsafe tmpfile() else { throw Failure(call: "tmpfile", code: errno) }
      unsafe file = unsafe made
      guard unsafe bytes.isEmpty || write(descriptor, bytes, bytes.count) == bytes.count else {
        throw Failure(call: "write", code: errno)
      }
      lseek(descriptor, 0, SEEK_SET)
    }

    deinit { unsafe fclose(file) }

    var descriptor: Int32 { unsafe fileno(file) }

    func content() throws -> [UInt8] {
      let count = Int(lseek(descriptor, 0, SEEK_END))
      var bytes = [UInt8](repeating: 0, count: count)
      guard unsafe pread(descriptor, &bytes, count, 0) == count else {
        throw Failure(call: "read", code: errno)
      }
      return bytes
    }
  }

  /// The status is negative where a signal ended it.
  package static func run(
    _ command: [String], in directory: String, input: [UInt8], environment: [String: String]
  ) throws -> ProgramResult {
    let input = try Stream(input)
    let output = try Stream()
    let errors = try Stream()
    let process = try start(
      command, in: directory, environment: environment,
      descriptors: [input, output, errors].map(\.descriptor))
    var status = Int32()
    while unsafe waitpid(process, &status, 0) < 0 {
      guard errno == EINTR else { throw Failure(call: "waitpid", code: errno) }
    }
    let signal = status & 0x7f
    return ProgramResult(
      status: signal == 0 ? status >> 8 & 0xff : -signal, output: try output.content(),
      errors: String(decoding: try errors.content(), as: UTF8.self))
  }

  /// Returns its number; the caller waits for its end. `descriptors`: its standard input, output and error; it gets no
  /// others.
  static func start(
    _ command: [String], in directory: String, environment: [String: String],
    descriptors: [Int32]
  ) throws -> pid_t {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    _ = unsafe addWorkingDirectory(&actions, directory)
    for (number, descriptor) in descriptors.enumerated() {
      unsafe posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(number))
    }
    _ = unsafe addCloseFrom(&actions, Int32(descriptors.count))
    var process = pid_t()
    let code = unsafe withCStrings(command) { arguments in
      unsafe withCStrings(environment.map { "\($0)=\($1)" }) { variables in
        unsafe posix_spawn(&process, command[0], &actions, nil, arguments, variables)
      }
    }
    guard code == 0 else { throw Failure(call: "posix_spawn \(command[0])", code: code) }
    return process
  }

  private static func withCStrings<Value>(
    _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Value
  ) -> Value {
    let pointers = unsafe strings.map { unsafe strdup($0) } + [nil]
    defer { unsafe pointers.forEach { unsafe free($0) } }
    return unsafe body(pointers)
  }
}

/// posix_spawn_file_actions_addchdir_np(3): glibc's headers show it to GNU programs only.
@_silgen_name("posix_spawn_file_actions_addchdir_np")
private func addWorkingDirectory(
  _ actions: UnsafeMutablePointer<posix_spawn_file_actions_t>, _ path: UnsafePointer<CChar>
) -> Int32

/// posix_spawn_file_actions_addclosefrom_np(3), for the same reason.
@_silgen_name("posix_spawn_file_actions_addclosefrom_np")
private func addCloseFrom(
  _ actions: UnsafeMutablePointer<posix_spawn_file_actions_t>, _ first: Int32
) -> Int32
