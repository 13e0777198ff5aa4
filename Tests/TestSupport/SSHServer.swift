import Foundation

/// A real `sshd` on a port of the loopback, as this test's user, with one key that may run git's programs alone.
package final class SSHServer: Sendable {
  package let port: UInt16
  /// The private key that it takes, and one that it does not.
  package let key: String
  package let strangeKey: String
  /// A file with its host key; one with none; and one with another key for it.
  package let knownHosts: String
  package let emptyHosts: String
  package let changedHosts: String
  private let program: ServingProgram

  package static let sshd = "/usr/sbin/sshd"

  /// It wants a user who may log in: root, where the tests run as root.
  package static var isAllowed: Bool {
    FileManager.default.isExecutableFile(atPath: sshd)
  }

  /// `authenticating`: a file with what `git-lfs-authenticate` says there; what it was asked is behind it, in `.log`.
  package init(in folder: PipelineFolder, authenticating answer: String? = nil) throws {
    func path(_ name: String) -> String { folder.path("ssh-" + name) }
    func makeKey(_ name: String) throws -> String {
      try Program.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path(name)],
        home: folder.path)
      return path(name)
    }
    func read(_ file: String) throws -> String { try String(contentsOfFile: file, encoding: .utf8) }
    port = try FreePort.take()
    (key, strangeKey) = (try makeKey("key"), try makeKey("strange"))
    let (host, other) = (try makeKey("host"), try makeKey("other"))
    let name = "[127.0.0.1]:\(port) "
    knownHosts = try folder.write("ssh-known", name + read(host + ".pub"))
    emptyHosts = try folder.write("ssh-empty", "")
    changedHosts = try folder.write("ssh-changed", name + read(other + ".pub"))
    let command = try folder.write(
      "ssh-command",
      """
      case "$SSH_ORIGINAL_COMMAND" in
      \(answer == nil ? "none" : "git-lfs-authenticate*"))
        echo "$SSH_ORIGINAL_COMMAND" >>'\(answer ?? "")'.log; cat '\(answer ?? "")' ;;
      *) exec git-shell -c "$SSH_ORIGINAL_COMMAND" ;;
      esac

      """)
    let authorized = try folder.write(
      "ssh-authorized", #"restrict,command="sh \#(command)" "# + read(key + ".pub"))
    if geteuid() == 0 {
      // Where sshd leaves its privileges: the service makes it, and there is none here.
      try FileManager.default.createDirectory(
        atPath: "/run/sshd", withIntermediateDirectories: true)
    }
    let configuration = try folder.write(
      "ssh-config",
      """
      Port \(port)
      ListenAddress 127.0.0.1
      HostKey \(host)
      AuthorizedKeysFile \(authorized)
      StrictModes no
      UsePAM no
      PasswordAuthentication no
      KbdInteractiveAuthentication no
      PermitRootLogin forced-commands-only
      PidFile none
      LogLevel VERBOSE
      """)
    program = try ServingProgram(
      [Self.sshd, "-D", "-e", "-f", configuration], in: folder, log: "ssh.log",
      until: "Server listening")
  }

  /// `path`: absolute.
  package func url(_ path: String) -> String { "ssh://\(NSUserName())@127.0.0.1:\(port)\(path)" }

  package var log: String { program.log }
  package func end() { program.end() }
}
