import ArgumentParser
import Diagnostics
import Glibc
import Sodium

@main
struct Distro: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "distro",
    abstract:
      "Carries pushes from where a repository can be reached to machines where it must not be.",
    discussion: """
      A push becomes a patch, signed and encrypted for each private machine, which verifies it before one byte of its \
      checkout changes.

        distro keygen signer
        distro sign-and-send --config config/signer.yaml --ref main
        distro relay --config config/relay.yaml
        distro verify-apply --config config/web1.yaml
        distro status --config config/signer.yaml
      """,
    version: "distro 0.1.0",
    subcommands: [
      Keygen.self, SignAndSend.self, VerifyApply.self, RelayCommand.self, HooksCommand.self,
      Serve.self, Carry.self, Status.self,
      Doctor.self, ReferenceCommand.self, LargeFileFilterCommand.self,
    ])

  static func main() async {
    // A terminal or a pusher that has gone is no reason to leave work undone.
    signal(SIGPIPE, SIG_IGN)
    do {
      var command = try parseAsRoot()
      try Libsodium.forbidCoreDumps()
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch let status as ExitCode {
      exit(withError: status)
    } catch {
      // Help and the version are no mistakes.
      guard exitCode(for: error) != .success else { exit(withError: error) }
      let isUsage = exitCode(for: error) == ExitCode(.usage)
      ErrorReport(error, usage: isUsage ? message(for: error) : nil).print()
      exit(withError: ExitCode(isUsage ? .usage : ExitStatus(of: error)))
    }
  }
}
