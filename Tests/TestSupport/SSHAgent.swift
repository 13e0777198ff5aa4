import Foundation

/// A real `ssh-agent` that holds one key.
package final class SSHAgent: Sendable {
  /// Its socket: `SSH_AUTH_SOCK`.
  package let socket: String
  private let program: ServingProgram

  /// `key`: a file without a passphrase.
  package init(holding key: String, in folder: PipelineFolder) throws {
    // Paths of sockets are short.
    socket = "/tmp/agent-\(UUID().uuidString.prefix(8))"
    program = try ServingProgram(
      ["/usr/bin/ssh-agent", "-D", "-a", socket], in: folder, log: "agent.log",
      until: "SSH_AUTH_SOCK")
    try Program.run(
      ["ssh-add", "-q", key], home: folder.path, environment: ["SSH_AUTH_SOCK": socket])
  }

  deinit {
    program.end()
    unsafe unlink(socket)
  }
}
