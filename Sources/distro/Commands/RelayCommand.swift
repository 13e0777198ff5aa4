import ArgumentParser
import Logging

struct RelayCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "relay",
    abstract: "The daemon in the middle: keeps sealed messages until their readers collect them.",
    discussion: """
      It needs its own key only, and can open nothing of what it keeps. Identities come and go with the .pub files in \
      its directories; SIGHUP reads the configuration again. Stops within 5 seconds on SIGTERM.

        distro relay --config config/relay.yaml
      """)

  @Option(help: "The configuration, see config/relay.example.yaml.")
  var config: String

  func run() async throws {
    try CarrierKinds.requireLibraries()
    let log = try RelayConfiguration.read(config).log.logger(for: "relay")
    try await Daemon(roles: { [ConfiguredRole(role: .relay, path: config)] }, log: log).run()
  }
}
