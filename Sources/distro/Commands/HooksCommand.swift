import ArgumentParser
import Logging

struct HooksCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hooks",
    abstract: "Takes webhooks of code hosts, and tells the signer that a repository has moved.",
    discussion: """
      It holds no key: a webhook is a hint, upon which the signer fetches and decides by what it finds. What was \
      answered with 202 is on the disk, and reaches the signer also when that is down for a while. SIGHUP reads the \
      configuration again; secrets and certificates are read again when their files change. Stops within 5 seconds on \
      SIGTERM.

        distro hooks --config config/hooks.yaml
      """)

  @Option(help: "The configuration, see config/hooks.example.yaml.")
  var config: String

  func run() async throws {
    let log = try HooksConfiguration.read(config).log.logger(for: "hooks")
    try await Daemon(roles: { [ConfiguredRole(role: .hooks, path: config)] }, log: log).run()
  }
}
