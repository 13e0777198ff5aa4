import Foundation
import Glibc
import Synchronization

/// A server that runs beside a test, and is ended with its last reference.
///
/// Not a `Process` of Foundation's: its one thread waits for the end of a program that closes the descriptors which it
/// inherits, as sshd does, and meanwhile sees the end of no other.
package final class ServingProgram: Sendable {
  private let logPath: String
  package let pid: Int32
  private let hasEnded = Mutex(false)

  package struct NotServing: Error { package let log: String }

  /// Returns once its standard output or error holds `ready`.
  package init(
    _ command: [String], in folder: PipelineFolder, log: String, until ready: String
  ) throws {
    logPath = folder.path(log)
    try Data().write(to: URL(fileURLWithPath: logPath))
    let output = try FileHandle(forWritingTo: URL(fileURLWithPath: logPath))
    let nothing = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/dev/null"))
    // Both streams stand at one place of the file.
    let descriptor = output.fileDescriptor
    pid = try SpawnedProgram.start(
      command, in: folder.path,
      environment: [
        "PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": folder.path, "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null",
      ], descriptors: [nothing.fileDescriptor, descriptor, descriptor])
    try nothing.close()
    try output.close()
    guard becomesTrue({ self.log.contains(ready) || !isRunning }), isRunning else {
      throw NotServing(log: self.log)
    }
  }

  deinit { end() }

  package var log: String {
    String(decoding: FileManager.default.contents(atPath: logPath) ?? Data(), as: UTF8.self)
  }

  private var isRunning: Bool {
    hasEnded.withLock { hasEnded in
      if !hasEnded { hasEnded = waitpid(pid, nil, WNOHANG) != 0 }
      return !hasEnded
    }
  }

  package func end() {
    hasEnded.withLock { hasEnded in
      guard !hasEnded else { return }
      kill(pid, SIGKILL)
      while waitpid(pid, nil, 0) < 0 && errno == EINTR {}
      hasEnded = true
    }
  }
}
