import GitModel
import Glibc

/// What people do by hand, they do with git itself.
struct GitProgram {
  private static let environment = [
    "HOME=/nonexistent", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
    "GIT_AUTHOR_NAME=P", "GIT_AUTHOR_EMAIL=p@example.org", "GIT_COMMITTER_NAME=P",
    "GIT_COMMITTER_EMAIL=p@example.org", "GIT_AUTHOR_DATE=1700000000 +0000",
    "GIT_COMMITTER_DATE=1700000000 +0000", "PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC",
  ]

  /// Where it works; `output` is a file of ours beside it.
  let directory: String
  let outputPath: String

  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// What it printed, both streams; a failure is an error.
  @discardableResult
  func run(_ arguments: String...) throws -> String {
    let (status, output) = try attempt(arguments)
    guard status == 0 else {
      throw Failure(description: "git \(arguments.joined(separator: " ")): \(status): \(output)")
    }
    return output
  }

  func attempt(_ arguments: [String]) throws -> (status: Int32, output: String) {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, outputPath, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    let words = ["git", "-C", directory] + arguments
    var argv = words.map { strdup($0) } + [nil]
    var envp = Self.environment.map { strdup($0) } + [nil]
    defer { for pointer in argv + envp { free(pointer) } }
    var id: pid_t = 0
    let code = posix_spawn(&id, "/usr/bin/git", &actions, nil, &argv, &envp)
    guard code == 0 else { throw Failure(description: "git cannot be started: \(code)") }
    var status: Int32 = 0
    while waitpid(id, &status, 0) < 0 && errno == EINTR {}
    return ((status >> 8) & 0xff, String(decoding: bytes(of: outputPath), as: UTF8.self))
  }
}
