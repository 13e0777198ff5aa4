import ArgumentParser
import ZeroMQ

struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs every role that its configuration names, in one process.",
    discussion: """
      Relay, signer and applier start in this order, and stop in the other one, within 5 seconds of SIGTERM. On SIGHUP \
      all configurations are read again; one that cannot be taken is reported, and the old one stays.

        distro serve --config config/serve.yaml
      """)

  @Option(help: "The configuration, see config/serve.example.yaml.")
  var config: String

  func run() async throws {
    try Libzmq.requireVersion()
    try Libzmq.requireCurve()
    let configuration = try ServeConfiguration.read(config)
    let log = try configuration.log.logger(label: "distro.serve")
    try await Daemon(roles: configuration.startOrder, log: log).run()
  }
}

extension ServeConfiguration {
  /// What others connect to starts first.
  var startOrder: [Role] {
    [
      relay.map { Role.relay($0) }, signer.map { Role.signer($0) },
      applier.map { Role.applier($0) },
    ].compactMap { $0 }
  }
}
