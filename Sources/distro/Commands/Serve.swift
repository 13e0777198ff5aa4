import ArgumentParser

struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs every role that its configuration names, in one process.",
    discussion: """
      Relay, signer, hooks and applier start in this order, and stop in the other one, within 5 seconds of SIGTERM. On SIGHUP \
      all configurations are read again, this one too: a role that is new starts, one that is gone ends. One that \
      cannot be taken is reported, and the old one stays.

        distro serve --config config/serve.yaml
      """)

  @Option(help: "The configuration, see config/serve.example.yaml.")
  var config: String

  func run() async throws {
    try CarrierKinds.requireLibraries()
    let log = try ServeConfiguration.read(config).log.logger(for: nil)
    try await Daemon(roles: { try ServeConfiguration.read(config).roles }, log: log).run()
  }
}
